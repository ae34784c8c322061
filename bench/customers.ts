import { randomUUID } from 'node:crypto'
import { signAccessToken } from '../functions/identity/tokens.ts'
import { postTransactions } from '../functions/ledger/posting/post.ts'
import { toPosting, type Asked, type PostingRequest } from '../functions/ledger/posting/posting-request.ts'
import type { Bench } from './bench.ts'
import type { SecretStore } from '../knative/local/secrets.ts'
import type { BenchDatabases } from './databases.ts'

/** A customer with accounts, logged in. */
export interface Customer {
  userId: string
  token: string
  accounts: string[]
}

const ACCOUNTS_EACH = 10
const BATCH = 500
/** First deposit of each account, in cents: enough for any number of transfers. */
export const FIRST_DEPOSIT = 1_000_000_000
/** Balance limit of an account, in cents: enough for one account that gets all transfers. */
const BALANCE_LIMIT = 10n ** 15n

/** Opens accounts, ten for each customer, and deposits money to each, with the functions of the ledger. */
export async function openAccounts(
  bench: Bench,
  databases: BenchDatabases,
  count = 10_000,
): Promise<Customer[]> {
  const { ledger, owner, secrets } = databases
  bench.progress.step(`opening ${count} accounts`)
  const customers: Customer[] = []
  for (let n = 0; n < count; n += ACCOUNTS_EACH) {
    const userId = randomUUID()
    customers.push({ userId, token: await signIn(secrets, userId), accounts: [] })
  }
  const rows = await ledger.query<{ id: string; user_id: string }>({
    // The call is in the list of columns: in FROM it would be made once for each customer.
    text: `select ((opened).account).id, ((opened).account).user_id
      from (
        select open_account(customer.id, 'checking', 'USD', 0, $2, $2, ${ACCOUNTS_EACH}) as opened
        from unnest($1::uuid[]) as customer (id), generate_series(1, ${ACCOUNTS_EACH})
      ) _`,
    values: [customers.map(({ userId }) => userId), BALANCE_LIMIT],
  })
  const byId = new Map(customers.map((customer) => [customer.userId, customer]))
  for (const { id, user_id: userId } of rows) byId.get(userId)!.accounts.push(id)

  for (let n = 0; n < rows.length; n += BATCH) {
    const deposits = rows.slice(n, n + BATCH).map(({ id, user_id: userId }) => depositTo(id, userId))
    await postTransactions(ledger, deposits)
  }
  await forgetEvents(databases)
  await owner.query({ text: 'vacuum analyze' })
  return customers
}

/** Returns an access token as a customer gets it when they log in. */
export function signIn(secrets: SecretStore, userId: string): Promise<string> {
  const { JWT_SIGNING_KEY: json } = secrets.secrets({}).get('token-signing-key')!
  return signAccessToken(
    { userId, role: 'customer', sessionId: randomUUID() },
    JSON.parse(json!) as Record<string, unknown>,
  )
}

/** Deletes the pending events and resolves with their number. They belong to what was measured before, and
 * must not burden what is measured next. */
export async function forgetEvents({ owner }: BenchDatabases): Promise<number> {
  const [row] = await owner.query<{ count: bigint }>({
    text: `with gone as (delete from outbox_pending returning cardinality(event_ids) as events)
      select coalesce(sum(events), 0) as count from gone`,
  })
  return Number(row!.count)
}

const depositTo = (accountId: string, userId: string): PostingRequest =>
  toPosting('deposit', { account_id: accountId }, BigInt(FIRST_DEPOSIT), askedBy(userId, 'deposit'))

/** A transfer of one dollar as the function `transfer` posts it, with an idempotency key. */
export const transferOf = (userId: string, from: string, to: string): PostingRequest =>
  toPosting('transfer', { account_id: from, to_account_id: to }, 100n, {
    ...askedBy(userId, 'transfer'),
    idempotencyKey: { owner: userId, key: randomUUID(), requestHash: REQUEST_HASH },
  })

const REQUEST_HASH = Buffer.alloc(16, 0x5e)

const askedBy = (userId: string, operation: string): Asked => ({
  operation,
  caller: { userId, role: 'customer' },
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
})
