import { UnavailableError } from '../../../eventing/unavailable.ts'
import type { Database, Transaction } from '../../host/database/database.ts'
import type { Tools } from '../../host/tools.ts'
import type { Occurrence } from './calendar.ts'
import { orderColumns, type OrderRow } from './order.ts'
import { nextOf, toSchedule } from './schedule.ts'

const ORDERS_AT_ONCE = 50
/** Runs that one step makes of an order. The next step makes more, if more were missed. */
const RUNS_AT_ONCE = 50

interface NewRun extends Pick<
  OrderRow,
  'account_id' | 'to_account_id' | 'amount' | 'currency' | 'description'
> {
  order_id: string
  number: number
  due_at: Date
  is_skipped: boolean
}

// Set aside for longer than that, an order was set aside before the clock was set back.
const DUE = `status = 'active' and next_due_at <= now()
  and (set_aside_until between now() and now() + interval '10 minutes') is not true`

/** Makes the runs that are due now, and moves their orders on to what is due next. Resolves with the number
 * of orders; zero if nothing is due, or others are at it.
 *
 * Any number of processes may do this at once: each takes orders that no other has locked, and an order has
 * one run for each moment. One database transaction takes many orders. If it fails, each is taken by itself:
 * it may be one that always fails, and would keep all others from being paid. */
export function makeRuns({ db, log }: Pick<Tools, 'db' | 'log'>): Promise<number> {
  return makeRunsOf(db, null).catch(() => makeRunsOfEach(db, log))
}

/** Makes the runs of one order, or of those that have been due for longest. */
function makeRunsOf(db: Database, id: string | null): Promise<number> {
  return db.transaction(async (tx) => {
    const orders = await tx.query<OrderRow & { now: Date }>({
      name: 'orders-due',
      text: `select ${orderColumns}, now() from payment_orders
        where ${DUE} and ($1::uuid is null or id = $1)
        order by next_due_at limit ${ORDERS_AT_ONCE} for update skip locked`,
      values: [id],
    })
    const runs: NewRun[] = []
    for (const order of orders) {
      const due = await dueRuns(order, order.now)
      runs.push(...due.runs)
      await moveOn(tx, order.id, due.next)
    }
    await insertRuns(tx, runs)
    return orders.length
  })
}

async function makeRunsOfEach(db: Database, log: Tools['log']): Promise<number> {
  const due = await db.query<{ id: string }>({
    name: 'orders-due-each',
    text: `select id from payment_orders where ${DUE} order by next_due_at limit ${ORDERS_AT_ONCE}`,
  })
  for (const { id } of due)
    try {
      await makeRunsOf(db, id)
    } catch (error) {
      log.error('no runs could be made of an order', { order_id: id, error: (error as Error).message })
      // Rejects if the database is away, which says nothing of the order.
      await setAside(db, id)
      // Each may take as long: the next sweep goes on.
      if (error instanceof UnavailableError) throw error
    }
  return due.length
}

const setAside = (db: Database, id: string): Promise<unknown> =>
  db.query({
    name: 'order-set-aside',
    text: `update payment_orders set set_aside_until = now() + interval '5 minutes' where id = $1`,
    values: [id],
  })

/** Returns the runs of an order that are due by `now`, oldest first, and what is due after them. */
async function dueRuns(
  order: OrderRow,
  now: Date,
): Promise<{ runs: NewRun[]; next: Occurrence | undefined }> {
  const { id, account_id, to_account_id, amount, currency, description } = order
  const schedule = toSchedule(order)
  const runs: NewRun[] = []
  let next: Occurrence | undefined = { number: order.next_number!, dueAt: order.next_due_at! }
  while (next && next.dueAt <= now && runs.length < RUNS_AT_ONCE) {
    const following = await nextOf(schedule, next.dueAt)
    const isMissed = following !== undefined && following.dueAt <= now
    runs.push({
      ...{ order_id: id, account_id, to_account_id, amount, currency, description },
      ...{ number: next.number, due_at: next.dueAt },
      is_skipped: isMissed && order.missed_runs === 'last',
    })
    next = following
  }
  return { runs, next }
}

async function moveOn(tx: Transaction, id: string, next: Occurrence | undefined): Promise<void> {
  await tx.query({
    name: 'order-move-on',
    text: `update payment_orders set next_number = $2, next_due_at = $3 where id = $1`,
    values: [id, next?.number, next?.dueAt],
  })
}

async function insertRuns(tx: Transaction, runs: readonly NewRun[]): Promise<void> {
  if (runs.length === 0) return
  await tx.query({
    name: 'order-runs-insert',
    text: `insert into payment_order_runs
        (order_id, number, due_at, account_id, to_account_id, amount, currency, description, status, ended_at)
      select order_id, number, due_at, account_id, to_account_id, amount, currency, description,
        case when is_skipped then 'skipped' else 'pending' end, case when is_skipped then now() end
      from json_to_recordset($1) as r(order_id uuid, number integer, due_at timestamptz, account_id uuid,
        to_account_id uuid, amount bigint, currency text, description text, is_skipped boolean)
      order by due_at
      on conflict (order_id, due_at) do nothing`,
    values: [
      JSON.stringify(runs, (_name, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
    ],
  })
}
