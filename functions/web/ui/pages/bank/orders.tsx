import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Link } from 'wouter'
import { accountsQuery } from '../../data/accounts.ts'
import { orderRunsQuery, ordersQuery, useChangeOrder, type Order, type OrderRun } from '../../data/orders.ts'
import { Button, ButtonLink } from '../../parts/button.tsx'
import { Id } from '../../parts/id.tsx'
import { Moment } from '../../parts/moment.tsx'
import { More } from '../../parts/more.tsx'
import { Money } from '../../parts/money.tsx'
import { Page } from '../../parts/page.tsx'
import { Panel } from '../../parts/panel.tsx'
import { ProblemNote } from '../../parts/problem-note.tsx'
import { Status, type StatusKind } from '../../parts/status.tsx'
import { Sure } from '../../parts/sure.tsx'
import { useAccountLabel } from '../../texts/account-names.ts'
import { useTexts } from '../../texts/define-texts.ts'
import { formatMoment } from '../../texts/formats.ts'
import { useLanguage } from '../../texts/language.ts'
import { useRuleWords } from './order-rule.ts'
import styles from './orders.module.css'
import { texts } from './orders.texts.ts'

const KINDS: Record<Order['status'], StatusKind> = {
  active: 'good',
  paused: 'neutral',
  stopped: 'bad',
  completed: 'neutral',
  cancelled: 'neutral',
}
const RUN_KINDS: Record<OrderRun['status'], StatusKind> = {
  pending: 'warn',
  paid: 'good',
  failed: 'bad',
  skipped: 'neutral',
}

/** The customer's payment orders, when each is due next, and what it has paid. */
export default function Orders() {
  const said = useTexts(texts)
  const list = useInfiniteQuery(ordersQuery())
  const create = (
    <ButtonLink href="/orders/new" look="primary">
      {said.create}
    </ButtonLink>
  )
  return (
    <Page title={said.title} actions={create}>
      <Panel
        query={{ ...list, data: list.data?.pages.flatMap(({ items }) => items) }}
        rows={4}
        starts="orders"
        empty={{ text: said.none }}
      >
        {(orders) => (
          <>
            <ul className={styles.list} aria-label={said.title}>
              {orders.map((order) => (
                <OrderItem key={order.id} order={order} />
              ))}
            </ul>
            <More list={list} />
          </>
        )}
      </Panel>
    </Page>
  )
}

function OrderItem({ order }: { order: Order }) {
  const said = useTexts(texts)
  const language = useLanguage()
  const rule = useRuleWords()
  const { schedule, description, amount, currency, next_due_at: next } = order
  return (
    <li className={styles.order}>
      <div className={styles.head}>
        <h2 dir="auto">{description ?? rule(schedule)}</h2>
        <Money amount={amount} currency={currency} />
      </div>
      <div className={styles.facts}>
        <Status kind={KINDS[order.status]} word={said.status[order.status]} />
        {order.stop_reason !== null && <code>{order.stop_reason}</code>}
        {description !== null && <span>{rule(schedule)}</span>}
        {next !== null && <span>{said.next(formatMoment(language, new Date(next)))}</span>}
        <PayeeName said={said.to} order={order} />
      </div>
      <Actions order={order} />
      <Runs order={order} />
    </li>
  )
}

/** Whom an order pays: the name of an account of one's own, or the name that the order has; without one the
 * id of the account, because nobody is told whose that is. */
function PayeeName({ said, order: { to_account_id: id, payee_name: name } }: { said: string; order: Order }) {
  const { data: accounts } = useQuery(accountsQuery())
  const labelOf = useAccountLabel()
  const own = accounts?.find((account) => account.id === id)
  return (
    <span dir="auto">
      {said} {own ? labelOf(own) : name !== null ? <bdi>{name}</bdi> : <Id value={id} />}
    </span>
  )
}

function Actions({ order: { id, status, description } }: { order: Order }) {
  const said = useTexts(texts)
  const [isAsking, setAsking] = useState(false)
  const change = useChangeOrder()
  if (status === 'completed' || status === 'cancelled') return null
  const to = (next: 'active' | 'paused' | 'cancelled') => (): void => change.mutate({ id, to: next })
  // Several orders are on the page: a screen reader says which one a button is for.
  const about = { 'aria-description': description ?? id }
  return (
    <div className={styles.actions}>
      {isAsking ? (
        <Sure
          question={said.cancelAsk}
          sure={said.cancelSure}
          keep={said.keep}
          isPending={change.isPending}
          onSure={to('cancelled')}
          onKeep={() => setAsking(false)}
          {...about}
        />
      ) : (
        <>
          <Button
            onClick={to(status === 'active' ? 'paused' : 'active')}
            disabled={change.isPending}
            {...about}
          >
            {status === 'active' ? said.pause : said.resume}
          </Button>
          <Button onClick={() => setAsking(true)} {...about}>
            {said.cancel}
          </Button>
        </>
      )}
      <ProblemNote problem={change.error} />
    </div>
  )
}

/** Each run with its outcome, read when somebody opens it. */
function Runs({ order }: { order: Order }) {
  const said = useTexts(texts)
  const [isOpen, setOpen] = useState(false)
  return (
    <details className={styles.runs} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>{said.runs}</summary>
      {isOpen && <RunList id={order.id} />}
    </details>
  )
}

function RunList({ id }: { id: string }) {
  const said = useTexts(texts)
  const language = useLanguage()
  const runs = useQuery(orderRunsQuery(id))
  return (
    <Panel query={runs} starts="orders" empty={{ text: said.noRuns }}>
      {(list) => (
        <ul className={styles.list}>
          {list.map((run) => (
            <li key={run.id} className={styles.facts}>
              <Moment at={run.due_at} />
              <Money amount={run.amount} currency={run.currency} />
              <Status kind={RUN_KINDS[run.status]} word={said.runStatus[run.status]} />
              {run.problem !== null && <code>{run.problem}</code>}
              {run.status === 'pending' && run.attempts > 0 && run.next_attempt_at !== null && (
                <span>{said.again(formatMoment(language, new Date(run.next_attempt_at)))}</span>
              )}
              {run.transaction_id !== null && (
                <Link href={`/transactions/${run.transaction_id}`}>{said.receipt}</Link>
              )}
            </li>
          ))}
        </ul>
      )}
    </Panel>
  )
}
