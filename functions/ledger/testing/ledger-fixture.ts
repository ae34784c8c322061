import { randomUUID } from 'node:crypto'
import { openDatabase, type Database } from '../../host/database/database.ts'
import { createLog } from '../../../monitoring/log.ts'
import { testDatabase, type TestDatabase } from '../../../tests/support/databases.ts'
import type { Reply } from '../../host/reply.ts'
import type { Tools } from '../../host/tools.ts'
import { postTransactions, type PostingOutcome } from '../posting/post.ts'
import { toPosting, type PostingRequest } from '../posting/posting-request.ts'
import { toSubjectEvents } from '../posting/subjects.ts'
import { requestTransaction } from '../posting/respond-async.ts'

/** A ledger for tests: a database of its own, with a connection as the functions' role and one as the
 * owner. */
export interface TestLedger {
  database: TestDatabase
  db: Database
  owner: Database
  /** Opens an account with a balance of zero. */
  open(options?: {
    userId?: string
    currency?: string
    overdraftLimit?: bigint
    balanceLimit?: bigint
    depositLimit?: bigint
  }): Promise<string>
  /** Freezes, unfreezes or closes an account, as an operator does. */
  setStatus(account: string, status: 'frozen' | 'open' | 'closed'): Promise<void>
  post(...requests: PostingRequest[]): Promise<PostingOutcome[]>
  /** Stores an order without publishing its event, like a function that dies after its commit. `on` is the
   * connection to use. */
  order(request: PostingRequest, on?: Database): Promise<Reply>
  balances(...ids: string[]): Promise<bigint[]>
  /** Returns what the ledger's proofs find; empty if all is well. */
  faults(): Promise<unknown[]>
  close(): Promise<void>
}

export const alice = randomUUID()
export const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

/** The key that functions sign orders with in tests. */
const REQUEST_SIGNING_KEY = 'a key that is only good for tests, no more'

/** A log that prints nothing. */
export const silent = createLog({}, 'error', () => {})

export async function testLedger(): Promise<TestLedger> {
  const database = await testDatabase('ledger')
  // Some tests post hundreds of times at once, and the last waits for all others on a busy machine.
  const options = { poolMax: 10, name: 'ledger-test', log: silent, connectMs: 120_000 }
  const db = openDatabase({ url: database.url, ...options })
  // The proofs read the whole ledger, which takes a while on a busy machine.
  const owner = openDatabase({ url: database.ownerUrl, ...options, timeoutMs: 120_000 })
  return {
    database,
    db,
    owner,
    open: async ({
      userId = alice,
      currency = 'USD',
      overdraftLimit = 0n,
      balanceLimit = 10n ** 14n,
      depositLimit = 10n ** 12n,
    } = {}) => {
      const [row] = await db.query<{ id: string }>({
        text: `select (account).id from open_account($1, 'checking', $2, $3, $4, $5, 100000)`,
        values: [userId, currency, overdraftLimit, balanceLimit, depositLimit],
      })
      return row!.id
    },
    setStatus: async (account, status) => {
      const action = { frozen: 'freeze', open: 'unfreeze', closed: 'close' }[status]
      const isAlreadySo = { frozen: 'account-frozen', open: 'account-not-frozen', closed: 'account-closed' }[
        status
      ]
      const [row] = await db.query<{ refusal: string | null }>({
        text: `select refusal from change_account($1, $2, null, null, $3, 'a test')`,
        values: [action, account, randomUUID()],
      })
      if (row!.refusal && row!.refusal !== isAlreadySo) throw new Error(`cannot ${action}: ${row!.refusal}`)
    },
    post: async (...requests) => (await postTransactions(db, requests, toSubjectEvents)).outcomes,
    order: (request, on = db) => {
      const tools = { db: on, log: silent, config: { REQUEST_SIGNING_KEY }, outbox: { publish: () => {} } }
      const caller = { userId: request.caller_id, role: request.caller_role, token: '' }
      return requestTransaction(request, caller, tools as unknown as Tools)
    },
    balances: async (...ids) => {
      const rows = await db.query<{ balance: bigint }>({
        text: `select balance from unnest($1::uuid[]) with ordinality wanted (id, n)
          join accounts using (id) order by n`,
        values: [ids],
      })
      return rows.map(({ balance }) => balance)
    },
    faults: () => owner.query({ text: 'select * from verify_ledger()' }),
    close: async () => {
      await db.close()
      await owner.close()
      await database.drop()
    },
  }
}

type Given = Partial<Omit<PostingRequest, 'amount'>> & { amount?: bigint | number }

const request = (type: PostingRequest['type'], given: Given): PostingRequest => {
  const { account_id = '', currency = 'USD', amount = 100, key = null, caller_id = alice } = given
  const asked = {
    operation: type ?? 'place-hold',
    caller: { userId: caller_id, role: 'customer' },
    traceparent,
  } as const
  return {
    ...toPosting(type, { account_id, currency }, BigInt(amount), asked),
    key_owner: key && caller_id,
    request_hash: key && '\\x01',
    ...given,
    amount: String(amount),
  }
}

export const deposit = (accountId: string, amount: bigint | number, given: Given = {}): PostingRequest =>
  request('deposit', { account_id: accountId, amount, ...given })

export const withdrawal = (accountId: string, amount: bigint | number, given: Given = {}): PostingRequest =>
  request('withdrawal', { account_id: accountId, amount, ...given })

export const transfer = (
  from: string,
  to: string,
  amount: bigint | number,
  given: Given = {},
): PostingRequest => request('transfer', { account_id: from, to_account_id: to, amount, ...given })

export const placing = (accountId: string, amount: bigint | number, given: Given = {}): PostingRequest => {
  const asked = request(null, { account_id: accountId, amount, step: 'place', expires_in: 3600, ...given })
  return { ...asked, hold_id: asked.id }
}

/** `amount` is what to take; of a release, the whole hold. */
export const ending = (
  step: 'capture' | 'release',
  hold: PostingRequest,
  amount: bigint | number = BigInt(hold.amount),
  given: Given = {},
): PostingRequest =>
  request(step === 'capture' ? 'transfer' : null, {
    account_id: hold.account_id,
    currency: hold.currency,
    amount,
    step,
    hold_id: hold.id,
    ...given,
  })

/** `isDebit` says whether the money leaves the account of the transaction that is reversed. */
export const reversal = (of: PostingRequest, isDebit: boolean, given: Given = {}): PostingRequest =>
  request('reversal', {
    account_id: of.account_id,
    to_account_id: of.to_account_id,
    currency: of.currency,
    amount: BigInt(of.amount),
    reverses: of.id,
    is_debit: isDebit,
    caller_role: 'operator',
    ...given,
  })
