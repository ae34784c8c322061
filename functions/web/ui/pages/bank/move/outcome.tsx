import { useQuery } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import type { Account } from '../../../data/accounts.ts'
import type { MoneyOrder, ReviewedOrder } from '../../../data/money-order.ts'
import type { OrderDesk } from '../../../data/order-desk.ts'
import { transactionQuery, type Transaction } from '../../../data/transactions.ts'
import { Button, ButtonLink } from '../../../parts/button.tsx'
import { Facts } from '../../../parts/facts.tsx'
import { Money } from '../../../parts/money.tsx'
import { Status } from '../../../parts/status.tsx'
import { useFocusReturn } from '../../../parts/use-focus-return.ts'
import { useIsOnline } from '../../../parts/use-is-online.ts'
import { useTexts } from '../../../texts/define-texts.ts'
import styles from './move.module.css'
import { texts } from './move.texts.ts'
import { useLabels } from './use-labels.ts'

/** A heading that takes the focus when the order gets there. */
function Step({ title, children }: { title: string; children: React.ReactNode }) {
  const heading = useRef<HTMLHeadingElement>(null)
  const part = useFocusReturn<HTMLDivElement>()
  useEffect(() => heading.current?.focus(), [title])
  return (
    <div ref={part} className={styles.step}>
      <h2 ref={heading} tabIndex={-1}>
        {title}
      </h2>
      {children}
    </div>
  )
}

type OrderAt<Place extends MoneyOrder['is']> = Extract<MoneyOrder, { is: Place }>

/** On its way, with each attempt. */
export function Sending({ order, desk }: { order: OrderAt<'sending' | 'unanswered'>; desk: OrderDesk }) {
  const said = useTexts(texts)
  const isOnline = useIsOnline()
  const isWaiting = order.is === 'unanswered'
  if (!isWaiting && !order.isOpen)
    return (
      <Step title={said.sendingTitle}>
        <p role="status">{said.sending}</p>
      </Step>
    )
  return (
    <Step title={said.noAnswerTitle}>
      <p role="status">{isOnline ? said.noAnswer : `${said.noAnswer} ${said.offline}`}</p>
      <ol className={styles.attempts}>
        {Array.from({ length: order.attempts }, (_attempt, n) => {
          const isUnderWay = !isWaiting && n + 1 === order.attempts
          return (
            <li key={n}>
              {said.attempt(String(n + 1))}
              <Status kind={isUnderWay ? 'cold' : 'warn'} word={isUnderWay ? said.asking : said.lost} />
            </li>
          )
        })}
      </ol>
      <Button disabled={!isWaiting || !isOnline} onClick={() => desk.resume()}>
        {said.askNow}
      </Button>
    </Step>
  )
}

/** Taken by the bank, and posted later. */
export function Accepted({ made, desk }: { made: Transaction; desk: OrderDesk }) {
  const said = useTexts(texts)
  const { data } = useQuery({ ...transactionQuery(made.id), refetchInterval: 2_000 })
  useEffect(() => {
    if (data) desk.settle(data)
  }, [data, desk])
  return (
    <Step title={said.acceptedTitle}>
      <p role="status">{said.accepted}</p>
      <ButtonLink href={`/transactions/${made.id}`}>{said.receipt}</ButtonLink>
    </Step>
  )
}

/** Moved, and how often it was asked for. */
export function Done({
  order: { made, attempts, wasReplayed },
  accounts,
  onMore,
}: {
  order: OrderAt<'done'>
  accounts: readonly Account[]
  onMore: () => void
}) {
  const said = useTexts(texts)
  const labels = useLabels()
  const { type, amount, currency, balance_after: balance } = made
  const account = accounts.find(({ id }) => id === made.account_id)
  const titles = { ...said.done, reversal: said.done.transfer }
  const answered = wasReplayed ? said.answeredReplayed : said.answered
  return (
    <Step title={titles[type](labels.money(amount, currency))}>
      {(attempts > 1 || wasReplayed) && <p role="status">{answered(String(attempts))}</p>}
      {account && balance !== null && (
        <Facts
          facts={[
            [said.newBalance(labels.nameOf(account)), <Money key="b" amount={balance} currency={currency} />],
          ]}
        />
      )}
      <div className={styles.buttons}>
        <ButtonLink look="primary" href={`/transactions/${made.id}`}>
          {said.receipt}
        </ButtonLink>
        <Button onClick={onMore}>{said.more}</Button>
      </div>
    </Step>
  )
}

/** Too old to be asked for again. */
export function Expired({ order, desk }: { order: ReviewedOrder; desk: OrderDesk }) {
  const said = useTexts(texts)
  return (
    <Step title={said.expiredTitle}>
      <p>{said.expired}</p>
      <div className={styles.buttons}>
        <ButtonLink look="primary" href={`/accounts/${order.body.account_id}`}>
          {said.toAccount}
        </ButtonLink>
        <Button onClick={() => desk.edit()}>{said.looked}</Button>
      </div>
    </Step>
  )
}
