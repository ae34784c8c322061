import { randomUUID } from 'node:crypto'
import { deliverTick } from '../../../tests/support/events.ts'
import { startFunction, token, type Answer, type TestFunction } from '../../../tests/support/host.ts'
import { until } from '../../../tests/support/until.ts'
import { testGateway, type ReceivedEvent, type TestGateway } from './gateway-fixture.ts'
import { alice, deposit, testLedger, type TestLedger } from './ledger-fixture.ts'
import sweepLedger from '../sweep-ledger.ts'
import transactions from '../transactions.ts'
import transfer from '../transfer.ts'

/** For tests of orders: a ledger, the functions that accept, post, show and sweep orders, and a Broker that
 * delivers nothing by itself. Call useOrders() first; it sets what this file exports. */

const bob = randomUUID()
const others: TestFunction[] = []
let functions: Record<'transfer' | 'transactions' | 'sweep', TestFunction>
let caller: string
export let ledger: TestLedger
export let gateway: TestGateway
/** Accounts of Alice (900.00) and Bob (0.00); new ones for each test. */
export let from: string
export let to: string

export const later = { prefer: 'respond-async' }

export function useOrders(): void {
  beforeAll(start)
  afterAll(stop)
  beforeEach(async () => {
    from = await ledger.open()
    to = await ledger.open({ userId: bob })
    await ledger.post(deposit(from, 900_00))
    gateway.brokerStatus = 202
    gateway.events.length = 0
  })
}

async function start(): Promise<void> {
  ledger = await testLedger()
  gateway = await testGateway()
  functions = {
    transfer: await startFunction(transfer, env()),
    transactions: await startFunction(transactions, env()),
    sweep: await startFunction(sweepLedger, env()),
  }
  caller = await token({ userId: alice })
}

async function stop(): Promise<void> {
  for (const running of [...Object.values(functions), ...others]) await running.stop()
  await gateway.close()
  await ledger.close()
}

const env = () => ({ LEDGER_DATABASE_URL: ledger.database.url, LOCAL_GATEWAY: gateway.address })

/** Starts another process of `transfer`, with other settings. */
export async function another(more: Record<string, string>): Promise<TestFunction> {
  const running = await startFunction(transfer, { ...env(), ...more })
  others.push(running)
  return running
}

/** Sends Alice's transfer, as the front door passes it on. */
export const send = (amount: unknown, headers = {}, by = functions.transfer): Promise<Answer> =>
  by.request('POST', '/transactions', {
    token: caller,
    headers,
    body: { type: 'transfer', account_id: from, to_account_id: to, amount },
  })

export const show = async (id: string) =>
  (await functions.transactions.request('GET', `/transactions/${id}`, { token: caller })).body

/** Returns the transaction.requested of an order, as the Broker stored it. */
export const ofOrder = (id: string): ReceivedEvent | undefined =>
  gateway.events.find(
    ({ headers }) => headers['ce-type'] === 'transaction.requested' && headers['ce-id'] === id,
  )
export const eventOf = (id: string): Promise<ReceivedEvent> =>
  until(() => ofOrder(id), { what: `the event of ${id}` })

/** Delivers a stored event as the Broker does. */
export function deliver({ headers, data }: ReceivedEvent, by = functions.transfer): Promise<Answer> {
  const attributes = Object.entries(headers).filter(([name]) => name.startsWith('ce-')) as [string, string][]
  return by.request('POST', '/events', {
    body: data,
    headers: { ...Object.fromEntries(attributes), host: 'transfer.bank.svc.cluster.local' },
  })
}

/** Does what the PingSource of sweep-ledger does. */
export const ping = (): Promise<Answer> => deliverTick(functions.sweep, 'sweep-ledger')

/** Makes an order look as if it had been accepted long ago, or in the future, before a clock was set back. */
export async function age(id: string, by: string): Promise<void> {
  // Written again, because the books refuse changes of a row.
  await ledger.owner.query({
    text: `with aged as (delete from transactions where id = $1 and status = 'pending' returning *)
      insert into transactions (id, type, status, account_id, to_account_id, amount, currency, user_id, created_at)
      select id, type, status, account_id, to_account_id, amount, currency, user_id, created_at - $2::interval
      from aged`,
    values: [id, by],
  })
}
