import { useQuery } from '@tanstack/react-query'
import { useEffect, useRef, type ReactNode } from 'react'
import type { Account } from '../../../data/accounts.ts'
import type { ReviewedOrder } from '../../../data/money-order.ts'
import type { OrderDesk } from '../../../data/order-desk.ts'
import { dryRunQuery, twinQuery, type DryRun } from '../../../data/transactions.ts'
import { Button } from '../../../parts/button.tsx'
import { Facts } from '../../../parts/facts.tsx'
import { ProblemNote } from '../../../parts/problem-note.tsx'
import { useFocusReturn } from '../../../parts/use-focus-return.ts'
import { useIsOnline } from '../../../parts/use-is-online.ts'
import { askedAs } from '../../../texts/account-names.ts'
import { useTexts } from '../../../texts/define-texts.ts'
import { formatMoment } from '../../../texts/formats.ts'
import { useLanguage } from '../../../texts/language.ts'
import styles from './move.module.css'
import { texts } from './move.texts.ts'
import { Refused } from './refused.tsx'
import { useLabels } from './use-labels.ts'

interface ReviewProps {
  order: ReviewedOrder
  accounts: readonly Account[]
  desk: OrderDesk
}

/** What will happen, before it does. */
export function Review({ order, accounts, desk }: ReviewProps) {
  const said = useTexts(texts)
  const labels = useLabels()
  const isOnline = useIsOnline()
  const heading = useRef<HTMLHeadingElement>(null)
  const part = useFocusReturn<HTMLDivElement>()
  useEffect(() => heading.current?.focus(), [])
  const { body, payee } = order
  const tried = useQuery(dryRunQuery(body))
  const account = accounts.find(({ id }) => id === body.account_id)
  const amount = labels.money(String(body.amount), body.currency ?? 'USD')
  const isRefused = tried.data?.allowed === false
  return (
    <div ref={part} className={styles.step}>
      <h2 ref={heading} tabIndex={-1}>
        {said.reviewTitle}
      </h2>
      <Facts
        facts={[
          ...partiesOf(order, accounts, said, labels),
          [said.amount, <strong key="amount">{amount}</strong>],
        ]}
      />
      {payee && <p className={styles.note}>{said.isItThem}</p>}
      <div className={styles.tried} aria-live="polite">
        {tried.data && <Facts facts={outcomeFacts(tried.data, body.currency ?? 'USD', said, labels)} />}
        {Boolean(tried.error) && <ProblemNote problem={tried.error} />}
        {isRefused && <Refused refusal={{ code: tried.data?.refusal ?? '', detail: '' }} account={account} />}
        <Twin order={order} />
      </div>
      {!isOnline && <p role="status">{said.offline}</p>}
      <div className={styles.buttons}>
        {!isRefused && (
          <Button look="primary" disabled={!isOnline || tried.isPending} onClick={() => desk.send()}>
            {said.send[body.type](amount)}
          </Button>
        )}
        <Button onClick={() => desk.edit()}>{said.change}</Button>
      </div>
    </div>
  )
}

type Said = ReturnType<typeof useTexts<(typeof texts)['en']>>
type Labels = ReturnType<typeof useLabels>
type Fact = readonly [name: string, value: ReactNode]

function partiesOf(
  { body, payee }: ReviewedOrder,
  accounts: readonly Account[],
  said: Said,
  labels: Labels,
): Fact[] {
  const nameOf = (id: string): string => {
    const account = accounts.find((each) => each.id === id)
    return account ? labels.account(account) : id
  }
  if (body.type === 'deposit') return [[said.to, nameOf(body.account_id)]]
  const from: Fact = [said.from, nameOf(body.account_id)]
  if (body.type === 'withdrawal') return [from]
  const to = payee ? (
    <bdi key="to">{said.payeeNamed(payee.name, askedAs(payee.asked))}</bdi>
  ) : (
    nameOf(body.to_account_id)
  )
  return [from, [said.to, to]]
}

function outcomeFacts(
  { fee, balance_after, limits }: DryRun,
  currency: string,
  said: Said,
  labels: Labels,
): Fact[] {
  const facts: [string, string | null | undefined][] = [
    [said.balanceAfter, balance_after],
    [said.leftToday, limits?.day_remaining],
    [said.leftThisMonth, limits?.month_remaining],
  ]
  return [
    [said.fee, fee === null ? said.noFee : labels.money(fee, currency)],
    ...facts.flatMap(([name, amount]): Fact[] => (amount ? [[name, labels.money(amount, currency)]] : [])),
  ]
}

/** Warns of the same payee and amount within ten minutes. */
function Twin({ order }: { order: ReviewedOrder }) {
  const said = useTexts(texts)
  const language = useLanguage()
  const { data: twin } = useQuery(twinQuery(order.body, order.reviewedAtMs))
  if (!twin) return null
  return <p className={styles.warning}>{said.twin(formatMoment(language, new Date(twin.timestamp)))}</p>
}
