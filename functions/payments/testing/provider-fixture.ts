import { randomBytes, randomUUID } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import type { EventContract } from '../../../eventing/contracts/contract.ts'
import { providerDue } from '../../../eventing/contracts/provider.due.ts'
import { sandboxDue } from '../../../eventing/contracts/sandbox.due.ts'
import { testDatabase, type TestDatabase } from '../../../tests/support/databases.ts'
import { deliverEvent, deliverTick } from '../../../tests/support/events.ts'
import { token, type Answer, type TestFunction } from '../../../tests/support/host.ts'
import { until } from '../../../tests/support/until.ts'
import { openDatabase, type Database } from '../../host/database/database.ts'
import type { Operation } from '../../host/operation.ts'
import clearing from '../../ledger/clearing.ts'
import dryRun from '../../ledger/dry-run.ts'
import holds from '../../ledger/holds.ts'
import placeHold from '../../ledger/place-hold.ts'
import releaseHold from '../../ledger/release-hold.ts'
import { deposit, silent, testLedger, type TestLedger } from '../../ledger/testing/ledger-fixture.ts'
import transactions from '../../ledger/transactions.ts'
import { testRouter, type TestRouter } from './gateway-fixture.ts'

/** For tests of top-ups and withdrawals: their functions and the sandbox provider over a real ledger. Call
 * useProvider() first; it sets what this file exports. */

export const ada = randomUUID()
export const bob = randomUUID()
const newSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`
/** The secret that the provider signs with, and the one before it. */
export const secret = newSecret()
export const oldSecret = newSecret()
export let ledger: TestLedger
export let router: TestRouter
type Name = 'topUps' | 'withdrawals' | 'hooks' | 'ask' | 'sandbox' | 'sweep'
export let functions: Record<Name, TestFunction>
export let db: Database
/** Owner of the database of payments. */
export let owner: Database
/** Ada's account, with 900.00; a new one for each test. */
export let account: string
let database: TestDatabase
let operations: Record<Name, Operation>

export function useProvider(given: Record<Name, Operation>): void {
  operations = given
  beforeAll(start)
  afterAll(stop)
  beforeEach(async () => {
    account = await ledger.open({ userId: ada })
    await ledger.post(deposit(account, 900_00, { caller_id: ada }))
    router.passage = () => 'pass'
    router.events.length = 0
  })
}

const env = (): Record<string, string> => ({
  PAYMENTS_DATABASE_URL: database.url,
  PAYMENT_PROVIDER: 'sandbox',
  SANDBOX_HOOK_SECRETS: `${secret} ${oldSecret}`,
  SANDBOX_SETTLE_MS: '0',
})

async function start(): Promise<void> {
  ledger = await testLedger()
  database = await testDatabase('payments')
  router = await testRouter()
  db = openDatabase({ url: database.url, poolMax: 2, name: 'payments-test', log: silent })
  owner = openDatabase({ url: database.ownerUrl, poolMax: 2, name: 'payments-test', log: silent })
  for (const operation of [clearing, dryRun, holds, placeHold, releaseHold, transactions])
    await router.start(operation, { LEDGER_DATABASE_URL: ledger.database.url })
  const started = Object.entries(operations).map(async ([name, operation]) => [
    name,
    await router.start(operation, env()),
  ])
  functions = Object.fromEntries(await Promise.all(started)) as typeof functions
}

async function stop(): Promise<void> {
  await router.close()
  for (const each of [db, owner]) await each.close()
  await database.drop()
  expect(await ledger.faults()).toEqual([])
  await ledger.close()
}

export type Kind = 'top-up' | 'withdrawal'

interface Sent {
  userId?: string
  role?: 'customer' | 'operator'
  key?: string
}

const functionOf = (kind: Kind) => (kind === 'top-up' ? functions.topUps : functions.withdrawals)

/** Asks for 25.00, or another amount. */
export async function create(
  kind: Kind,
  body: Record<string, unknown> = {},
  { userId = ada, role = 'customer', key }: Sent = {},
): Promise<Answer> {
  const payee = { payee_name: 'Ada', payee_account: 'DE89370400440532013000' }
  return functionOf(kind).request('POST', `/payments/${kind}s`, {
    token: await token({ userId, role }),
    body: { account_id: account, amount: '25.00', ...(kind === 'withdrawal' && payee), ...body },
    headers: key === undefined ? {} : { 'idempotency-key': key },
  })
}

export const show = async (kind: Kind, path = '', { userId = ada, role = 'customer' }: Sent = {}) =>
  functionOf(kind).request('GET', `/payments/${kind}s${path}`, { token: await token({ userId, role }) })

export const cancel = async (kind: Kind, id: string, { userId = ada }: Sent = {}): Promise<Answer> =>
  functionOf(kind).request('POST', `/payments/${kind}s/${id}/cancel`, {
    ...{ token: await token({ userId }), body: {} },
  })

/** Starts a function anew, as after a kill. The new process has forgotten that others did not answer. */
export async function restart(): Promise<void> {
  functions.topUps = await router.start(operations.topUps, env())
  functions.ask = await router.start(operations.ask, env())
}

/** Has the sandbox settle a transfer, as the Broker does: its event comes twice. */
export async function settleInSandbox(reference: string): Promise<void> {
  for (let n = 0; n < 2; n++)
    expect(await deliverEvent(functions.sandbox, sandboxDue as EventContract, { reference })).toMatchObject({
      status: 204,
    })
}

/** Has ask-provider do what is due of a transfer: its event comes twice. */
export async function goOn(id: string): Promise<void> {
  for (let n = 0; n < 2; n++)
    expect(
      await deliverEvent(functions.ask, providerDue as EventContract, { transfer_id: id }),
    ).toMatchObject({
      status: 204,
    })
}

/** Does what the minute's sweep does with a transfer whose time has come. */
export async function sweep(id: string): Promise<void> {
  await owner.query({ text: `update provider_transfers set next_at = now() where id = $1`, values: [id] })
  const before = eventsOf(id).length
  const { status } = await deliverTick(functions.sweep, 'sweep-payments')
  expect(status).toBe(204)
  await until(() => eventsOf(id).length > before, { what: 'provider.due' })
  await goOn(id)
}

export interface Hook {
  id?: string
  secret?: string
  at?: Date
  body?: string
  headers?: Record<string, string>
}

/** Sends a web hook to the bank, signed by the published library. */
export async function sendHook(report: Record<string, unknown>, hook: Hook = {}): Promise<Answer> {
  const { id = randomUUID(), at = new Date(), secret: by = secret } = hook
  const body = JSON.stringify({ type: 'transfer.updated', timestamp: at.toISOString(), data: report })
  return functions.hooks.request('POST', '/providers/sandbox/hooks', {
    headers: {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
      'webhook-signature': new Webhook(by).sign(id, at, body),
      ...hook.headers,
    },
    body: hook.body ?? body,
  })
}

/** What the sandbox would say of a transfer. */
export const reportOf = ({ id, amount, currency }: Answer['body'], kind: Kind, state = 'settled') => ({
  ...{ reference: id, id: `sandbox_${id.replaceAll('-', '')}`, kind, state, amount, currency },
  ...{ reason: null, next_url: null },
})

/** Types of the events about a transfer that the Broker has taken, in order. */
export const eventsOf = (id: string): string[] =>
  router.events.filter(({ data }) => data.transfer_id === id).map(({ type }) => type)

/** Resolves when the Broker has taken an event of a type about a transfer; returns its data. */
export const eventOf = async (id: string, type: string): Promise<Record<string, unknown>> =>
  (
    await until(() => router.events.find((each) => each.type === type && each.data.transfer_id === id), {
      what: type,
    })
  ).data

export async function money(id = account): Promise<{ balance: bigint; held: bigint }> {
  const [row] = await ledger.db.query<{ balance: bigint; held: bigint }>({
    ...{ text: 'select balance, held from accounts where id = $1', values: [id] },
  })
  return row!
}
