import { randomUUID } from 'node:crypto'
import type { Operation } from '../../host/operation.ts'
import { startFunction, token, type Answer, type TestFunction } from '../../../tests/support/host.ts'
import { testGateway, type ReceivedEvent } from './gateway-fixture.ts'
import { alice, deposit, testLedger, type TestLedger } from './ledger-fixture.ts'
import transactions from '../transactions.ts'

type Who = 'alice' | 'bob' | 'operator'

interface Options {
  key?: string
  who?: Who
  atomic?: boolean
}

/** The function `post-batch` on a ledger of its own. */
export interface TestBatches {
  ledger: TestLedger
  running: TestFunction
  tokens: Record<Who, string>
  /** Accounts of Alice (900.00) and Bob (0.00); new ones for each test. */
  from: string
  to: string
  openAccounts(): Promise<void>
  send(batch: unknown[], options?: Options): Promise<Answer>
  /** Makes a transfer of the batch, from `from` to `to`. */
  transfer(amount: unknown, more?: object): Record<string, unknown>
  /** Makes a deposit to or withdrawal from `from`. */
  own(type: 'deposit' | 'withdrawal', amount: unknown): Record<string, unknown>
  /** Returns the transactions of these results as the function `transactions` shows them. */
  show(results: readonly { transaction: { id: string } }[]): Promise<unknown[]>
  countTransactions(): Promise<number>
  /** Subjects of the events about `from`: those that reached the Broker, and those in the outbox (without the
   * event of the first deposit). */
  publishedEvents(): string[]
  storedEvents(): Promise<string[]>
  close(): Promise<void>
}

/** Prepares the tests of a file: starts `operation` on a ledger of its own, gives each test new accounts, and
 * checks the books at the end. The tests get what this returns. */
export function useBatches(operation: Operation): TestBatches {
  const batches = {} as TestBatches
  beforeAll(() => start(batches, operation))
  beforeEach(() => batches.openAccounts())
  afterAll(async () => {
    expect(await batches.ledger.faults()).toEqual([])
    await batches.close()
  })
  return batches
}

async function start(batches: TestBatches, operation: Operation): Promise<void> {
  const ledger = await testLedger()
  const gateway = await testGateway()
  const env = { LEDGER_DATABASE_URL: ledger.database.url, LOCAL_GATEWAY: gateway.address }
  const running = await startFunction(operation, env)
  const transactionsFunction = await startFunction(transactions, env)
  const bob = randomUUID()
  const tokens = {
    alice: await token({ userId: alice }),
    bob: await token({ userId: bob }),
    operator: await token({ userId: randomUUID(), role: 'operator' }),
  }
  const isAbout =
    (account: string) =>
    ({ headers }: ReceivedEvent): boolean =>
      headers['ce-partitionkey'] === account

  const given: TestBatches = {
    ledger,
    running,
    tokens,
    from: '',
    to: '',
    async openAccounts() {
      batches.from = await ledger.open()
      batches.to = await ledger.open({ userId: bob })
      await ledger.post(deposit(batches.from, 900_00))
    },
    send: (batch, { key, who = 'alice', ...more } = {}) =>
      running.request('POST', '/transactions/batch', {
        token: tokens[who],
        body: { transactions: batch, ...more },
        ...(key && { headers: { 'idempotency-key': key } }),
      }),
    transfer: (amount, more = {}) => ({
      type: 'transfer',
      account_id: batches.from,
      to_account_id: batches.to,
      amount,
      ...more,
    }),
    own: (type, amount) => ({ type, account_id: batches.from, amount }),
    async show(results) {
      const shown = results.map(({ transaction: { id } }) =>
        transactionsFunction.request('GET', `/transactions/${id}`, { token: tokens.alice }),
      )
      return (await Promise.all(shown)).map(({ body }) => body as unknown)
    },
    async countTransactions() {
      const [row] = await ledger.db.query<{ count: bigint }>({ text: 'select count(*) from transactions' })
      return Number(row!.count)
    },
    publishedEvents: () =>
      gateway.events.filter(isAbout(batches.from)).map(({ headers }) => headers['ce-subject'] as string),
    async storedEvents() {
      const rows = await ledger.db.query<{ subject: string }>({
        text: 'select subject from events where partitionkey = $1 order by id offset 1',
        values: [batches.from],
      })
      return rows.map(({ subject }) => subject)
    },
    async close() {
      await running.stop()
      await transactionsFunction.stop()
      await gateway.close()
      await ledger.close()
    },
  }
  Object.assign(batches, given)
}

/** Returns the outcome of each transaction: its amount if posted, otherwise the name of its problem. */
export const summary = ({ body }: Answer): string[] =>
  body.results.map(
    ({ transaction, problem }: { transaction?: { amount: string }; problem?: { type: string } }) =>
      transaction?.amount ?? problem?.type.split('/').at(-1),
  )
