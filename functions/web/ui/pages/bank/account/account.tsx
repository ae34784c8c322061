import { useQuery } from '@tanstack/react-query'
import { useParams } from 'wouter'
import { accountQuery } from '../../../data/account.ts'
import { texts } from '../../../panels/account/account.texts.ts'
import { Course } from '../../../panels/account/course.tsx'
import { Entries } from '../../../panels/account/entries.tsx'
import { AccountSummary } from '../../../panels/account/summary.tsx'
import { useAskAtOnce } from '../../../panels/account/use-ask-at-once.ts'
import { ButtonLink } from '../../../parts/button.tsx'
import { Page } from '../../../parts/page.tsx'
import { Panel } from '../../../parts/panel.tsx'
import { useAccountName } from '../../../texts/account-names.ts'
import { useTexts } from '../../../texts/define-texts.ts'
import { Rename } from './rename.tsx'

/** One account: what is on it, how that came, and each entry with the balance after it. */
export default function AccountPage() {
  const { id = '' } = useParams<{ id: string }>()
  const said = useTexts(texts)
  const nameOf = useAccountName()
  const account = useQuery(accountQuery(id))
  useAskAtOnce(id)
  const { data } = account
  const actions = (
    <>
      <ButtonLink href={`/move?from=${id}`} look="primary">
        {said.move}
      </ButtonLink>
      <ButtonLink href={`/accounts/${id}/statement`}>{said.statement}</ButtonLink>
    </>
  )
  return (
    <Page title={data ? nameOf(data) : said.title} actions={account.error && !data ? undefined : actions}>
      {/* Another one than the one that waited, because a long name in the heading moves what is below. */}
      <Panel key={data?.id} query={account} starts="accounts">
        {(shown) => (
          <AccountSummary account={shown}>
            {shown.status !== 'closed' && <Rename account={shown} />}
          </AccountSummary>
        )}
      </Panel>
      {data && <Course account={data} />}
      {data && <Entries account={data} />}
    </Page>
  )
}
