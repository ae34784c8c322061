import { randomUUID } from 'node:crypto'
import dryRun from '../../ledger/dry-run.ts'
import { deposit, silent, testLedger, type TestLedger } from '../../ledger/testing/ledger-fixture.ts'
import transfer from '../../ledger/transfer.ts'
import { openDatabase, type Database } from '../../host/database/database.ts'
import { testDatabase, type TestDatabase } from '../../../tests/support/databases.ts'
import { deliverTick } from '../../../tests/support/events.ts'
import { startFunction, token, type Answer, type TestFunction } from '../../../tests/support/host.ts'
import cancelOrder from '../cancel-order.ts'
import changeOrder from '../change-order.ts'
import createOrder from '../create-order.ts'
import orders from '../orders.ts'
import sweepPayments from '../sweep-payments.ts'
import { testRouter, type TestRouter } from './gateway-fixture.ts'

/** For tests of payment orders: the functions of payments over a real ledger. Call useOrders() first; it sets
 * what this file exports. */

export const ada = randomUUID()
export const bob = randomUUID()
export let ledger: TestLedger
export let router: TestRouter
export let functions: Record<'create' | 'show' | 'change' | 'cancel' | 'run', TestFunction>
/** Owner of the database of payments: moves the time of orders. */
export let owner: Database
/** Accounts of Ada (900.00) and Bob (0.00); new ones for each test. */
export let from: string
export let to: string
let database: TestDatabase
let asAda: string

export function useOrders(): void {
  beforeAll(start)
  afterAll(stop)
  beforeEach(async () => {
    from = await ledger.open({ userId: ada })
    to = await ledger.open({ userId: bob })
    await ledger.post(deposit(from, 900_00, { caller_id: ada }))
    router.passage = () => 'pass'
    router.events.length = 0
    // What earlier tests left is over.
    await owner.query({
      text: `update payment_orders set status = 'cancelled', stop_reason = null, next_number = null, next_due_at = null`,
    })
    await owner.query({
      text: `update payment_order_runs set status = 'skipped', ended_at = now() where status = 'pending'`,
    })
  })
}

async function start(): Promise<void> {
  ledger = await testLedger()
  database = await testDatabase('payments')
  router = await testRouter()
  owner = openDatabase({ url: database.ownerUrl, poolMax: 2, name: 'payments-test', log: silent })
  for (const operation of [dryRun, transfer])
    await router.start(operation, { LEDGER_DATABASE_URL: ledger.database.url })
  const env = { PAYMENTS_DATABASE_URL: database.url }
  functions = {
    create: await router.start(createOrder, env),
    show: await router.start(orders, env),
    change: await router.start(changeOrder, env),
    cancel: await router.start(cancelOrder, env),
    run: await router.start(sweepPayments, env),
  }
  asAda = await token({ userId: ada })
}

async function stop(): Promise<void> {
  await router.close()
  await owner.close()
  await database.drop()
  expect(await ledger.faults()).toEqual([])
  await ledger.close()
}

type Sent = { token?: string | undefined; key?: string; body?: unknown; path?: string }

const send = (by: TestFunction, method: string, path: string, sent: Sent = {}): Promise<Answer> =>
  by.request(method, path, {
    ...('token' in sent ? sent.token !== undefined && { token: sent.token } : { token: asAda }),
    ...(sent.body !== undefined && { body: sent.body }),
    ...(sent.key !== undefined && { headers: { 'idempotency-key': sent.key } }),
  })

/** A day a year ago. Orders of tests begin then, so that they can be made to have missed days. */
export const yearAgo = new Date(Date.now() - 365 * 86_400_000).toISOString().slice(0, 10)

/** A time of the day that is hours away, so that no order of a test is due by itself. */
const at = new Date(Date.now() + 12 * 3_600_000).toISOString().slice(11, 16)

/** A body for POST /orders: 10.00 to Bob every day, unless given otherwise. */
export const wanted = (given: Record<string, unknown> = {}) => ({
  ...{ account_id: from, to_account_id: to, amount: '10.00', schedule: { every: 'day', from: yearAgo, at } },
  ...given,
})

export const create = (body: unknown = wanted(), sent: Sent = {}) =>
  send(functions.create, 'POST', sent.path ?? '/orders', { body, ...sent })
export const show = (path: string, sent: Sent = {}) => send(functions.show, 'GET', path, sent)
export const change = (id: string, body: unknown, sent: Sent = {}) =>
  send(functions.change, 'PATCH', `/orders/${id}`, { body, ...sent })
export const setStatus = (id: string, status: string, sent: Sent = {}) =>
  send(functions.change, 'PUT', `/orders/${id}/status`, { body: { status }, ...sent })
export const cancel = (id: string, sent: Sent = {}) => send(functions.cancel, 'DELETE', `/orders/${id}`, sent)

/** Creates an order and returns its id. */
export async function created(given: Record<string, unknown> = {}): Promise<string> {
  const { status, body } = await create(wanted(given))
  if (status !== 201) throw new Error(`expected 201, got ${status}: ${JSON.stringify(body)}`)
  return body.id as string
}

/** Makes an order due some days earlier than it was. */
export const moveDue = (id: string, days: number): Promise<unknown> =>
  owner.query({
    text: `update payment_orders
      set next_due_at = next_due_at - make_interval(days => $2), next_number = next_number - $2,
        run_at = run_at - make_interval(days => $2) where id = $1`,
    values: [id, days],
  })

/** Makes the next attempts of an order's runs due now, as if days had passed. */
export const moveAttempts = (id: string): Promise<unknown> =>
  owner.query({
    text: `update payment_order_runs set next_attempt_at = now() where order_id = $1 and status = 'pending'`,
    values: [id],
  })

/** Starts sweep-payments anew, as after a kill. The new process has forgotten that the ledger did not
 * answer. */
export async function restart(): Promise<void> {
  functions.run = await router.start(sweepPayments, { PAYMENTS_DATABASE_URL: database.url })
}

/** Another process of sweep-payments. */
export const secondRunner = (): Promise<TestFunction> =>
  startFunction(sweepPayments, { PAYMENTS_DATABASE_URL: database.url, LOCAL_GATEWAY: router.address })

/** Does what the PingSource does. */
export const tick = (by = functions.run): Promise<Answer> => deliverTick(by, 'sweep-payments')

/** Returns the runs of an order, oldest first. */
export async function runsOf(id: string): Promise<Record<string, unknown>[]> {
  const { body } = await show(`/orders/${id}/runs?limit=200`)
  return (body.items as Record<string, unknown>[]).reverse()
}

export const statusesOf = async (id: string): Promise<unknown[]> =>
  (await runsOf(id)).map(({ status }) => status)

/** Types of the events about orders that the Broker has taken, in order. */
export const eventsOf = (id: string): string[] =>
  router.events.filter(({ data }) => data.order_id === id).map(({ type }) => type)
