import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from 'wouter'
import { disputedQuery, type Disputed, type TransferKind } from '../../../data/disputes.ts'
import { Facts } from '../../../parts/facts.tsx'
import { Id } from '../../../parts/id.tsx'
import { Moment } from '../../../parts/moment.tsx'
import { More } from '../../../parts/more.tsx'
import { Page } from '../../../parts/page.tsx'
import { Panel } from '../../../parts/panel.tsx'
import { Status } from '../../../parts/status.tsx'
import { useMoneyText } from '../../../parts/use-money-text.ts'
import { useTexts } from '../../../texts/define-texts.ts'
import { AuditedNote } from '../audited-note.tsx'
import styles from './disputes.module.css'
import { texts } from './disputes.texts.ts'
import { Resolve } from './resolve.tsx'

/** The top-ups and withdrawals that the bank and its payment provider see differently, each with what an
 * operator can do about it. */
export default function Disputes() {
  const said = useTexts(texts)
  return (
    <Page title={said.title}>
      <AuditedNote />
      <List kind="top-ups" />
      <List kind="withdrawals" />
    </Page>
  )
}

function List({ kind }: { kind: TransferKind }) {
  const said = useTexts(texts)
  const list = useInfiniteQuery(disputedQuery(kind))
  return (
    <Panel title={said.kinds[kind]} query={list} starts={kind} rows={1} empty={{ text: said.none[kind] }}>
      {(disputed) => (
        <>
          <ul className={styles.list}>
            {disputed.map((one) => (
              <li key={one.id}>
                <Dispute kind={kind} one={one} />
              </li>
            ))}
          </ul>
          <More list={list} />
        </>
      )}
    </Panel>
  )
}

function Dispute({ kind, one }: { kind: TransferKind; one: Disputed }) {
  const said = useTexts(texts)
  const amount = useMoneyText()(one.amount, one.currency)
  const reason = one.dispute ?? ''
  return (
    <article className={styles.one} aria-label={said.oneOf[kind](amount)}>
      <h3>
        {amount} <Status kind="bad" word={said.states[one.status] ?? one.status} />
      </h3>
      <Facts
        facts={[
          [said.what, said.reasons[reason] ?? said.refused(reason)],
          [said.since, <Moment key="since" at={one.created_at} />],
          [
            said.customer,
            <Link key="customer" href={`/office/customers/${one.user_id}`}>
              {said.toCustomer}
            </Link>,
          ],
          [
            said.account,
            <Link key="account" href={`/office/accounts/${one.account_id}`}>
              {said.toAccount}
            </Link>,
          ],
          ...('payee_name' in one
            ? [[said.payee, <bdi key="payee">{`${one.payee_name}, ${one.payee_account}`}</bdi>] as const]
            : []),
          [said.provider, one.provider],
          [said.id, <Id key="id" value={one.id} />],
        ]}
      />
      <Resolve kind={kind} one={one} />
    </article>
  )
}
