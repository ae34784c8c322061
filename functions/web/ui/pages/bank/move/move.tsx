import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useEffectEvent } from 'react'
import { useSearchParams } from 'wouter'
import { accountsQuery, likelyAccount, type Account } from '../../../data/accounts.ts'
import { deskOf, useOrder } from '../../../data/desk.ts'
import { useSession } from '../../../data/session.ts'
import { ButtonLink } from '../../../parts/button.tsx'
import { useEntered } from '../../../parts/entered.ts'
import { Page } from '../../../parts/page.tsx'
import { Panel } from '../../../parts/panel.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import { draftOf, emptyDraft, kinds, type MoveKind } from './draft.ts'
import { MoveForm } from './move-form.tsx'
import { texts } from './move.texts.ts'
import { Accepted, Done, Expired, Sending } from './outcome.tsx'
import { Review } from './review.tsx'

/** Transfer, payment, deposit and withdrawal: enter, review, send. */
export default function Move() {
  const said = useTexts(texts)
  const { user_id: userId } = useSession()
  const accounts = useQuery(accountsQuery())
  return (
    <Page title={said.title} width="narrow">
      <Panel
        query={accounts}
        starts="accounts"
        rows={6}
        empty={{ text: said.noAccounts, action: <ButtonLink href="/">{said.openAccount}</ButtonLink> }}
      >
        {(list) => userId && <Order key={userId} owner={userId} accounts={list} />}
      </Panel>
    </Page>
  )
}

/** One order, wherever it stands. What was typed stays until it is sent. */
function Order({ owner, accounts }: { owner: string; accounts: readonly Account[] }) {
  const desk = deskOf(owner)
  const order = useOrder(desk)
  const [search] = useSearchParams()
  const [draft, setDraft] = useEntered('draft', () => {
    if ('order' in order) return draftOf(order.order)
    const kind = kinds.find((each) => each === search.get('kind')) ?? 'transfer'
    return emptyDraft(kind satisfies MoveKind, search.get('from') ?? likelyAccount(accounts)?.id)
  })
  const forgetSent = useEffectEvent(() => setDraft(emptyDraft(draft.kind, draft.accountId)))
  // If the session ends now, what was sent must not stand in the form again.
  useEffect(() => {
    if (order.is === 'done') forgetSent()
  }, [order.is])
  useFreshData(order)
  // Who comes back begins another one.
  useEffect(() => () => desk.leave(), [desk])
  switch (order.is) {
    case 'in-review':
      return <Review order={order.order} accounts={accounts} desk={desk} />
    case 'sending':
    case 'unanswered':
      return <Sending order={order} desk={desk} />
    case 'accepted':
      return <Accepted made={order.made} desk={desk} />
    case 'done':
      return <Done order={order} accounts={accounts} onMore={() => desk.edit()} />
    case 'expired':
      return <Expired order={order.order} desk={desk} />
    case 'editing':
    case 'refused': {
      const refusal = order.is === 'refused' ? order.refusal : undefined
      return <MoveForm {...{ accounts, draft, desk, refusal }} onChange={setDraft} />
    }
  }
}

/** Brings what an answer has changed. */
function useFreshData(order: ReturnType<typeof useOrder>): void {
  const queries = useQueryClient()
  useEffect(() => {
    if (order.is !== 'done' && order.is !== 'refused') return
    for (const noun of ['accounts', 'entries', 'transactions', 'notifications'])
      void queries.invalidateQueries({ queryKey: [noun] })
  }, [order, queries])
}
