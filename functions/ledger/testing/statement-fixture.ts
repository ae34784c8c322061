import { startFunction, token, type Answer, type TestFunction } from '../../../tests/support/host.ts'
import statement from '../statement.ts'
import { alice, testLedger, type TestLedger } from './ledger-fixture.ts'

export interface TestStatements {
  ledger: TestLedger
  host: TestFunction
  /** Asks for a statement as Alice, or with another token. */
  ask(accountId: string, query?: Record<string, string | number>, options?: AskOptions): Promise<Answer>
  /** Adds so many transfers between the account and another one, without posting them one by one. */
  grow(accountId: string, count: number): Promise<void>
  stop(): Promise<void>
}

interface AskOptions {
  token?: string
  accept?: string
}

/** The function `statement` over a ledger. */
export async function testStatements(): Promise<TestStatements> {
  const ledger = await testLedger()
  const host = await startFunction(statement, { LEDGER_DATABASE_URL: ledger.database.url })
  const aliceToken = await token({ userId: alice })
  return {
    ledger,
    host,
    ask: (accountId, query = {}, { token = aliceToken, accept } = {}) => {
      const search = new URLSearchParams(
        Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]),
      )
      return host.request('GET', `/accounts/${accountId}/statement?${search}`, {
        token,
        ...(accept !== undefined && { headers: { accept } }),
      })
    },
    grow: async (accountId, count) => {
      await ledger.owner.query({ text: grown, values: [accountId, count] })
      await ledger.owner.query({ text: 'analyze entries, transactions' })
    },
    stop: async () => {
      await host.stop()
      await ledger.close()
    },
  }
}

/** Every second transfer goes out, of one minor unit less than comes in, one a millisecond until a second
 * before the account was opened. Their hashes are not right. */
const grown = `
  with account as (select * from accounts where id = $1),
  moved as (
    select uuidv7() as transaction_id, n, a.version + n as version,
      case when n % 2 = 1 then 5 else -4 end as amount,
      a.balance + 5 * ((n + 1) / 2) - 4 * (n / 2) as balance_after,
      greatest(a.posted_at, a.created_at - ($2 + 1000) * interval '1 millisecond') + n * interval '1 millisecond'
        as created_at,
      a.id, a.currency, a.user_id
    from generate_series(1, $2::bigint) n, account a
  ),
  stored as (
    insert into transactions (
      id, type, status, account_id, to_account_id, amount, currency, description, user_id, to_user_id,
      balance_after, to_balance_after, created_at
    )
    select transaction_id, 'transfer', 'completed', case when amount < 0 then id else other end,
      case when amount < 0 then other else id end, abs(amount), currency, 'Transfer ' || n || ' of many', user_id,
      user_id, balance_after, balance_after, created_at
    from moved, uuidv7() other
  ),
  booked as (
    insert into entries (account_id, version, transaction_id, amount, balance_after, hash, created_at)
    select id, version, transaction_id, amount, balance_after, sha256(''), created_at from moved
  )
  update accounts a set balance = m.balance_after, version = m.version, posted_at = m.created_at
  from (select * from moved order by n desc limit 1) m where a.id = m.id`
