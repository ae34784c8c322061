import { randomUUID } from 'node:crypto'
import { until } from '../../../tests/support/until.ts'
import { summary, useBatches } from '../testing/batch-fixture.ts'
import { deposit } from '../testing/ledger-fixture.ts'
import postBatch from '../post-batch.ts'

const batches = useBatches(postBatch)

describe('a batch that is repeated with its key', () => {
  test('gets the first answer again and moves no more money', async () => {
    const key = randomUUID()
    const batch = [
      batches.transfer(1, { description: 'x' }),
      batches.transfer('900.00'),
      batches.own('deposit', 2),
    ]
    const first = await batches.send(batch, { key })
    await batches.ledger.post(deposit(batches.from, 900_00))
    const second = await batches.send(batch, { key })
    expect(first.headers.get('idempotency-replayed')).toBeNull()
    expect(second.headers.get('idempotency-replayed')).toBe('true')
    expect([second.status, second.body]).toEqual([first.status, first.body])
    expect(await batches.ledger.balances(batches.from, batches.to)).toEqual([1801_00n, 1_00n])
    await until(() => batches.publishedEvents().length === 2, { what: 'two events' })
  })

  test('is refused with other content, even if only its order or `atomic` differs', async () => {
    const key = randomUUID()
    await batches.send([batches.transfer(1), batches.transfer(2)], { key })
    for (const other of [
      await batches.send([batches.transfer(2), batches.transfer(1)], { key }),
      await batches.send([batches.transfer(1), batches.transfer(2)], { key, atomic: true }),
    ])
      expect(other).toMatchObject({
        status: 422,
        body: { type: 'https://microbank.dev/problems/idempotency-key-reused' },
      })
    expect(await batches.ledger.balances(batches.from, batches.to)).toEqual([897_00n, 3_00n])
  })

  test('sixteen times at once is posted once', async () => {
    const key = randomUUID()
    const answers = await Promise.all(
      Array.from({ length: 16 }, () => batches.send([batches.transfer(1)], { key })),
    )
    const done = answers.filter(({ status }) => status === 200)
    const running = answers.filter(({ status }) => status === 409)
    expect(done.length + running.length).toBe(16)
    expect(done.filter(({ headers }) => !headers.get('idempotency-replayed'))).toHaveLength(1)
    expect(new Set(done.map(({ body }) => JSON.stringify(body))).size).toBe(1)
    for (const { body } of running) expect(body.type).toMatch(/idempotency-key-in-use$/)
    expect(await batches.ledger.balances(batches.from, batches.to)).toEqual([899_00n, 1_00n])
  })
})

test('a batch that is cut off during its commit leaves nothing behind, and its key is free', async () => {
  const commits = await haltCommits()
  const before = await batches.countTransactions()
  const [key, batch] = [randomUUID(), [batches.own('deposit', 1), batches.transfer(1)]]
  const cutOff = batches.send(batch, { key })
  await commits.cutOff()
  expect(await cutOff).toMatchObject({ status: 503 })
  await commits.goOn()
  expect(await batches.countTransactions()).toBe(before)
  expect(await batches.ledger.balances(batches.from, batches.to)).toEqual([900_00n, 0n])

  const again = await batches.send(batch, { key })
  expect([again.headers.get('idempotency-replayed'), summary(again)]).toEqual([null, ['1.00', '1.00']])
  await until(() => batches.publishedEvents().length === 2, { what: 'two events' })
})

/** Holds up every commit that includes an idempotency key, with all its work done, until it is cut off. */
async function haltCommits(): Promise<{ cutOff: () => Promise<void>; goOn: () => Promise<void> }> {
  await batches.ledger.owner.query({
    text: `create function wait() returns trigger language plpgsql
      as $$ begin perform pg_advisory_xact_lock_shared(1); return null; end $$`,
  })
  await batches.ledger.owner.query({
    text: `create constraint trigger wait after insert on idempotency_keys deferrable initially deferred
      for each row execute function wait()`,
  })
  const { default: pg } = await import('pg')
  const superuser = new pg.Client({ connectionString: batches.ledger.database.superuserUrl })
  await superuser.connect()
  await superuser.query('select pg_advisory_lock(1)')
  return {
    cutOff: async () => {
      const waiting = await until(
        async () =>
          (
            await superuser.query<{ pid: number }>(
              `select pid from pg_stat_activity
              where datname = $1 and application_name = 'post-batch' and wait_event = 'advisory'`,
              [batches.ledger.database.name],
            )
          ).rows[0],
        { what: 'the commit to wait' },
      )
      await superuser.query('select pg_terminate_backend($1, 5000)', [waiting.pid])
    },
    goOn: async () => {
      await superuser.end()
      await batches.ledger.owner.query({ text: 'drop function wait cascade' })
    },
  }
}
