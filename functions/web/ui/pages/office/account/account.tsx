import { useQuery } from '@tanstack/react-query'
import { useParams } from 'wouter'
import { accountQuery } from '../../../data/account.ts'
import { accountChangesQuery, ordersOfAccountQuery } from '../../../data/customers.ts'
import { Course } from '../../../panels/account/course.tsx'
import { Entries } from '../../../panels/account/entries.tsx'
import { AccountSummary } from '../../../panels/account/summary.tsx'
import { useAskAtOnce } from '../../../panels/account/use-ask-at-once.ts'
import { ButtonLink } from '../../../parts/button.tsx'
import { Page } from '../../../parts/page.tsx'
import { Panel } from '../../../parts/panel.tsx'
import { useAccountName } from '../../../texts/account-names.ts'
import { useTexts } from '../../../texts/define-texts.ts'
import { AuditedNote } from '../audited-note.tsx'
import { AccountActs } from './account-acts.tsx'
import { texts } from './account.texts.ts'
import { Changes } from './changes.tsx'
import { HoldActs } from './hold-acts.tsx'
import { Reverse } from './reverse.tsx'

/** An account as its customer sees it, with what an operator can do about it. */
export default function OfficeAccount() {
  const { id = '' } = useParams<{ id: string }>()
  const said = useTexts(texts)
  const nameOf = useAccountName()
  const account = useQuery({ ...accountQuery(id), refetchOnWindowFocus: false })
  const orders = useQuery(ordersOfAccountQuery(id))
  const changes = useQuery(accountChangesQuery(id))
  useAskAtOnce(id)
  const { data } = account
  return (
    <Page
      title={data ? nameOf(data) : said.title}
      actions={data && <ButtonLink href={`/office/customers/${data.user_id}`}>{said.toCustomer}</ButtonLink>}
    >
      {data && <AuditedNote />}
      {/* Another one than the one that waited, because a long name in the heading moves what is below. */}
      <Panel key={data?.id} query={account} starts="accounts">
        {(shown) => (
          <>
            <AccountSummary account={shown} />
            <AccountActs account={shown} orders={orders.data} />
          </>
        )}
      </Panel>
      {data && <Course account={data} />}
      {data && (
        <Entries
          account={data}
          holdActs={(hold) => <HoldActs hold={hold} />}
          entryActs={(entry, words) => <Reverse entry={entry} words={words} />}
        />
      )}
      <Panel title={said.changes} query={changes} starts="accounts" rows={1} empty={{ text: said.noChanges }}>
        {(list) => <Changes changes={list} />}
      </Panel>
    </Page>
  )
}
