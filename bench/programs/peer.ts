import express from 'express'
import pg from 'pg'

/** What one would build without microbank: Express, and for each request a database transaction that locks
 * both accounts with SELECT FOR UPDATE. It checks no token and chains no hashes, which makes it faster. */
async function main(): Promise<void> {
  const { PORT, HOST = '', DATABASE_URL, ACCOUNTS } = process.env
  const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 16 })
  await createTables(pool, Number(ACCOUNTS))
  const app = express()
  app.use(express.json())
  app.get('/healthz', (_request, response) => void response.json({ status: 'ok' }))
  app.post('/transfers', async (request, response) => {
    const { key, from, to, amount } = request.body as Transfer
    const client = await pool.connect()
    try {
      await client.query('begin')
      response.status(201).json(await transfer(client, { key, from, to, amount }))
    } catch (error) {
      await client.query('rollback')
      response.status(500).json({ error: (error as Error).message })
    } finally {
      client.release()
    }
  })
  app.listen(Number(PORT), HOST)
}

interface Transfer {
  key: string
  from: number
  to: number
  amount: number
}

async function transfer(client: pg.PoolClient, { key, from, to, amount }: Transfer): Promise<{ id: string }> {
  await client.query('insert into peer.idempotency_keys (key) values ($1)', [key])
  // The accounts are locked in the order of their ids. Otherwise two transfers in opposite directions would
  // wait for each other.
  const { rows } = await client.query<{ id: string; balance: string }>(
    'select id, balance from peer.accounts where id in ($1, $2) order by id for update',
    [from, to],
  )
  if (Number(rows.find(({ id }) => Number(id) === from)?.balance) < amount)
    throw new Error('insufficient funds')
  const inserted = await client.query<{ id: string }>(
    'insert into peer.transactions (from_id, to_id, amount) values ($1, $2, $3) returning id',
    [from, to, amount],
  )
  const { id } = inserted.rows[0]!
  for (const [account, change] of [
    [from, -amount],
    [to, amount],
  ] as const) {
    await client.query('update peer.accounts set balance = balance + $2 where id = $1', [account, change])
    await client.query('insert into peer.entries (transaction_id, account_id, amount) values ($1, $2, $3)', [
      id,
      account,
      change,
    ])
  }
  await client.query('insert into peer.outbox (data) values ($1)', [JSON.stringify({ id, from, to, amount })])
  await client.query('commit')
  return { id }
}

async function createTables(pool: pg.Pool, accounts: number): Promise<void> {
  await pool.query(`
    create schema peer;
    create table peer.accounts (id bigint primary key, balance bigint not null) with (fillfactor = 60);
    create table peer.idempotency_keys (key text primary key);
    create table peer.transactions (
      id bigint generated always as identity primary key,
      from_id bigint not null references peer.accounts,
      to_id bigint not null references peer.accounts,
      amount bigint not null
    );
    create table peer.entries (
      id bigint generated always as identity primary key,
      transaction_id bigint not null references peer.transactions,
      account_id bigint not null references peer.accounts,
      amount bigint not null
    );
    create table peer.outbox (id bigint generated always as identity primary key, data json not null);
    insert into peer.accounts select n, 1000000000 from generate_series(1, ${accounts}) n`)
}

void main()
