import type { PendingEvent } from '../../../eventing/outbox-event.ts'
import { randomUUID } from 'node:crypto'
import { openDatabase, type Database, type Statement } from '../../host/database/database.ts'
import { UnavailableError } from '../../../eventing/unavailable.ts'
import { until } from '../../../tests/support/until.ts'
import { alice, deposit, silent, testLedger, transfer, type TestLedger } from '../testing/ledger-fixture.ts'
import { createPoster, type PostingOutcome } from './post.ts'

let ledger: TestLedger

beforeAll(async () => {
  ledger = await testLedger()
})
afterAll(() => ledger.close())

const sizeOf = ({ values }: Statement): number => (values![0] as string).split('"(').length - 1

/** The ledger's own database, with a record of the batches sent to it. */
function counted(): { db: Database; batches: number[] } {
  const batches: number[] = []
  const query = (statement: Statement) => {
    batches.push(sizeOf(statement))
    return ledger.db.query<never>(statement)
  }
  return { db: { ...ledger.db, query }, batches }
}

/** The ledger's own database behind a gate, with a record of the batches sent to it. */
function gated(): { db: Database; batches: number[]; open: () => void } {
  const batches: number[] = []
  let open = (): void => {}
  let gate = new Promise<void>((resolve) => (open = resolve))
  const db: Database = {
    ...ledger.db,
    query: async (statement: Statement) => {
      batches.push(sizeOf(statement))
      await gate
      return ledger.db.query(statement)
    },
  }
  return {
    db,
    batches,
    open: () => {
      open()
      gate = Promise.resolve()
    },
  }
}

function recordedOutbox(): {
  published: PendingEvent[]
  outbox: Parameters<typeof createPoster>[0]['outbox']
} {
  const published: PendingEvent[] = []
  const refuse = async (): Promise<never> => {
    throw new Error('only publish() is for posters')
  }
  const publish = (events: readonly PendingEvent[]): void => void published.push(...events)
  return { published, outbox: { publish, sweep: refuse, send: refuse, drain: refuse } }
}

test('a single transaction is posted at once, and those that come meanwhile are posted together', async () => {
  const { db, batches, open } = gated()
  const poster = createPoster({ db, outbox: recordedOutbox().outbox, log: silent })
  const account = await ledger.open()
  const first = poster.post(deposit(account, 1))
  expect(batches).toEqual([1])
  const others = Array.from({ length: 20 }, () => poster.post(deposit(account, 1)))
  expect(batches).toEqual([1])
  open()
  expect(await Promise.all([first, ...others])).toHaveLength(21)
  expect(batches).toEqual([1, 20])
  expect(await ledger.balances(account)).toEqual([21n])
})

test('each caller gets the outcome of their own transaction', async () => {
  const { db, open } = gated()
  const poster = createPoster({ db, outbox: recordedOutbox().outbox, log: silent })
  const [from, to] = [await ledger.open(), await ledger.open()]
  const outcomes = [
    poster.post(deposit(from, 100)),
    poster.post(transfer(from, to, 70)),
    poster.post(transfer(from, to, 70)),
    poster.post(transfer(from, to, 30)),
  ]
  open()
  expect(await Promise.all(outcomes)).toMatchObject([
    { outcome: 'posted', balanceAfter: 100n },
    { outcome: 'posted', balanceAfter: 30n },
    { outcome: 'insufficient-funds' },
    { outcome: 'posted', balanceAfter: 0n },
  ])
})

test('the event given to the publisher is the one that is pending', async () => {
  const { published, outbox } = recordedOutbox()
  const poster = createPoster({ db: ledger.db, outbox, log: silent })
  const account = await ledger.open()
  const request = deposit(account, 12_34, { description: 'première "paie"' })
  await poster.post(request)
  await poster.post(transfer(account, account, 1))
  const rows = await ledger.db.query<PendingEvent & { time: unknown }>({
    text: `select e.id, type, source, subject, time, dataschema, partitionkey, w.traceparent, data::text as data,
        extensions, p.id as "pendingId"
      from outbox_pending p cross join unnest(p.event_ids, p.traceparents) w (event_id, traceparent)
      join events_by_id(p.event_ids) e on e.id = w.event_id
      where partitionkey = $1`,
    values: [account],
  })
  expect(rows.map((row) => ({ ...row, time: (row.time as unknown as Date).toISOString() }))).toEqual(
    published,
  )
  expect(published).toHaveLength(1)
})

test('a request that the database can’t process fails alone', async () => {
  const { db, batches, open } = gated()
  const poster = createPoster({ db, outbox: recordedOutbox().outbox, log: silent })
  const account = await ledger.open()
  const results = Promise.allSettled([
    poster.post(deposit(account, 1)),
    poster.post(deposit(account, 2)),
    poster.post(deposit(account, -5)),
    poster.post(deposit(account, 3)),
  ])
  open()
  expect((await results).map(({ status }) => status)).toEqual([
    'fulfilled',
    'fulfilled',
    'rejected',
    'fulfilled',
  ])
  expect(batches).toEqual([1, 3, 1, 1, 1])
  expect(await ledger.balances(account)).toEqual([6n])
})

test('while the database is unreachable, each request fails with an error that allows a repeat', async () => {
  const away = openDatabase({
    url: 'postgres://nobody@127.0.0.1:1/none',
    poolMax: 1,
    name: 'away',
    log: silent,
  })
  const poster = createPoster({ db: away, outbox: recordedOutbox().outbox, log: silent })
  const results = await Promise.allSettled([1, 2, 3].map((amount) => poster.post(deposit(alice, amount))))
  for (const result of results) expect(result).toMatchObject({ reason: expect.any(UnavailableError) })
})

test('if a batch is cut off, each of its requests fails and their keys can be used again', async () => {
  const { db, batches } = counted()
  const poster = createPoster({ db, outbox: recordedOutbox().outbox, log: silent })
  const [from, to] = [await ledger.open({ overdraftLimit: 100n }), await ledger.open()]
  const requests = Array.from({ length: 5 }, () => transfer(from, to, 1, { key: randomUUID() }))
  let results: Promise<PromiseSettledResult<PostingOutcome>[]> | undefined
  await ledger.owner.transaction(async (tx) => {
    await tx.query({ text: 'select from accounts where id = $1 for update', values: [to] })
    results = Promise.allSettled(requests.map(poster.post))
    await until(async () => (await waitingForLocks()) === 1n, { what: 'the first to wait for the account' })
    await endWaiting()
    await until(async () => (await waitingForLocks()) === 1n, { what: 'the others to wait for the account' })
    await endWaiting()
  })
  expect(batches).toEqual([1, 4])
  for (const result of await results!) expect(result).toMatchObject({ reason: expect.any(UnavailableError) })
  const again = await Promise.all(requests.map(poster.post))
  expect(again.map(({ outcome, replayed }) => [outcome, replayed])).toEqual(
    requests.map(() => ['posted', false]),
  )
  expect(await ledger.balances(from, to)).toEqual([-5n, 5n])
})

test('requests above the limit of waiting ones are refused with an error that allows a repeat', async () => {
  const { db, open } = gated()
  const poster = createPoster({ db, outbox: recordedOutbox().outbox, log: silent })
  const account = await ledger.open()
  const results = Promise.allSettled(Array.from({ length: 5_010 }, () => poster.post(deposit(account, 1))))
  open()
  const refused = (await results).filter(({ status }) => status === 'rejected')
  expect(refused).toHaveLength(9)
  expect(refused[0]).toMatchObject({ reason: expect.any(UnavailableError) })
  expect(await ledger.balances(account)).toEqual([5_001n])
})

test('an order that two processes get at the same moment is posted once', async () => {
  const posters = [1, 2].map(() =>
    createPoster({ db: ledger.db, outbox: recordedOutbox().outbox, log: silent }),
  )
  const account = await ledger.open()
  const request = deposit(account, 5, { requested: true })
  let posting: Promise<PostingOutcome[]> | undefined
  await ledger.owner.transaction(async (tx) => {
    await tx.query({ text: 'select from accounts where id = $1 for update', values: [account] })
    posting = Promise.all(posters.map(({ post }) => post(request)))
    await until(async () => (await waitingForLocks()) === 2n, { what: 'both to wait for the account' })
  })
  expect((await posting!).map(({ replayed }) => replayed).sort()).toEqual([false, true])
  expect(await ledger.balances(account)).toEqual([5n])
})

async function endWaiting(): Promise<void> {
  const superuser = openDatabase({ url: ledger.database.superuserUrl, poolMax: 1, name: 'end', log: silent })
  await superuser.query({
    text: `select pg_terminate_backend(pid, 5000) from pg_stat_activity
      where datname = $1 and wait_event_type = 'Lock'`,
    values: [ledger.database.name],
  })
  await superuser.close()
}

async function waitingForLocks(): Promise<bigint> {
  const [row] = await ledger.owner.query<{ count: bigint }>({
    text: `select count(distinct pid) from pg_locks where not granted and pid in (
      select pid from pg_stat_get_activity(null) where datid = (select oid from pg_database where datname = current_database())
    )`,
  })
  return row!.count
}
