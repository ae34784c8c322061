import { createServer, type AddressInfo, type Socket } from 'node:net'
import { Client } from 'pg'
import { createLog } from '../../../monitoring/log.ts'
import { testDatabase, type TestDatabase } from '../../../tests/support/databases.ts'
import { startSilentProxy, type SilentProxy } from '../../../tests/support/silent-proxy.ts'
import { until } from '../../../tests/support/until.ts'
import { openDatabase, type OpenDatabase, type Statement } from './database.ts'
import { UnavailableError } from '../../../eventing/unavailable.ts'

/** How a function sees a database that falls silent, and one that refuses for the moment. */

// Milliseconds: short compared with a test's deadline, long compared with an answer on a busy machine.
const TIMEOUT_MS = 3_000
/** For tests in which the database always answers. */
const PATIENT_MS = 60_000

let database: TestDatabase
let proxy: SilentProxy
let db: OpenDatabase
let administrator: Client

beforeAll(async () => {
  database = await testDatabase('notifications')
  administrator = new Client(database.superuserUrl)
  await administrator.connect()
  await administrator.query('create table seen (n integer primary key)')
  await administrator.query('grant all on seen to notifications')
})
beforeEach(async () => {
  proxy = await startSilentProxy(database.url)
  db = open(4)
  await administrator.query('delete from seen')
})
afterEach(async () => {
  await proxy.stop()
  await db.close()
})
afterAll(async () => {
  await administrator.end()
  await database.drop()
})

const log = createLog({}, 'error', () => {})
const open = (poolMax: number, { timeoutMs = TIMEOUT_MS, url = database.url } = {}): OpenDatabase =>
  openDatabase({ url: proxy.through(url), poolMax, name: 'test', log, timeoutMs })

const one = () => db.query({ text: 'select 1' })
const insert = (n: number) => ({ text: 'insert into seen values ($1)', values: [n] })
const seen = async (): Promise<number[]> =>
  (await administrator.query<{ n: number }>('select n from seen order by n')).rows.map(({ n }) => n)

/** Opens as many connections as the pool allows, and leaves them idle. */
const fill = () => Promise.all(Array.from({ length: 4 }, () => db.query({ text: 'select pg_sleep(0.2)' })))

describe('a connection that is opened ahead', () => {
  test('serves the first query, whether it is open by then or not', async () => {
    void db.connect()
    expect(await one()).toHaveLength(1)
    expect(proxy.opened).toBe(1)
  })

  test('waits in the pool if nobody queries', async () => {
    await db.connect()
    const idle = `select 1 from pg_stat_activity where application_name = 'test' and state = 'idle'
      and datname = current_database()`
    await until(async () => (await administrator.query(idle)).rowCount === 1)
    await Promise.all([one(), one()])
    expect(proxy.opened).toBe(2)
    await db.connect()
    expect(proxy.opened).toBe(2)
  })

  test('fails silently, and the query that waits for it reports why', async () => {
    proxy.silence()
    await db.connect()
    await expect(one()).rejects.toThrow('the database did not answer')
    proxy.heal()
    expect(await one()).toHaveLength(1)
  })

  test('fails silently if nobody waits for it, and keeps no later query from its own connection', async () => {
    proxy.silence()
    await db.connect()
    await until(() => proxy.opened === 1)
    await until(() => proxy.open === 0)
    proxy.heal()
    expect(await one()).toHaveLength(1)
  })

  test('is closed with the database, even before it is open', async () => {
    await db.connect()
    await db.close()
    await until(() => proxy.open === 0)
    db = open(1)
  })
})

test('a connection that the database ends while it opens ends no process, and is given up', async () => {
  const message = (type: string, body: string): Buffer => {
    const bytes = Buffer.from(body, 'latin1')
    const head = Buffer.alloc(5)
    head.write(type)
    head.writeInt32BE(bytes.length + 4, 1)
    return Buffer.concat([head, bytes])
  }
  // In one packet: logged in, ready, and gone, as a server says that is told to stop at this moment.
  const logged = message('R', '\0\0\0\0')
  const gone = message('E', 'SFATAL\0C57P01\0Mterminating connection due to administrator command\0\0')
  const opened: Socket[] = []
  const server = createServer((socket) => {
    opened.push(socket)
    socket.on('error', () => undefined)
    socket.once('data', () => socket.end(Buffer.concat([logged, message('Z', 'I'), gone])))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const url = `postgres://notifications:x@127.0.0.1:${port}/notifications`
  const stopping = openDatabase({ url, poolMax: 1, name: 'test', log, timeoutMs: TIMEOUT_MS })
  await expect(stopping.query({ text: 'select 1' })).rejects.toThrow(UnavailableError)
  await stopping.connect()
  await expect(stopping.query({ text: 'select 1' })).rejects.toThrow(UnavailableError)
  await stopping.close()
  expect(opened.length).toBeGreaterThan(1)
  await new Promise((resolve) => server.close(resolve))
})

describe('a connection that falls silent', () => {
  test('is given up after the time-out, with all idle ones, so the next request gets a new one', async () => {
    await fill()
    expect(proxy.opened).toBe(4)
    proxy.silence()
    await expect(one()).rejects.toThrow(UnavailableError)
    await until(() => proxy.open === 0, { what: 'the end of all silent connections' })
    proxy.heal()
    expect(await one()).toHaveLength(1)
    expect(proxy.opened).toBe(5)
  })

  test('is given up however many requests wait: each gets an answer, and then the pool is complete again', async () => {
    await fill()
    proxy.silence()
    const waiting = await Promise.allSettled(Array.from({ length: 20 }, one))
    for (const { status, ...rest } of waiting)
      expect([status, rest]).toEqual(['rejected', { reason: expect.any(UnavailableError) }])
    proxy.heal()
    await fill()
  })

  test('is given up too if it is silent from the start', async () => {
    proxy.silence()
    await expect(one()).rejects.toThrow('the database did not answer')
    proxy.heal()
    expect(await one()).toHaveLength(1)
  })

  test('before the commit leaves no change, and the answer does not say that it might', async () => {
    await one()
    const failing = db.transaction(async (tx) => {
      await tx.query(insert(1))
      proxy.silence()
      await tx.query(insert(2))
    })
    await expect(failing).rejects.toThrow(/^the database did not answer$/)
    expect(await seen()).toEqual([])
  })

  test('before a rollback is thrown away, and the answer gives the reason for the rollback', async () => {
    await one()
    const failing = db.transaction(async () => {
      proxy.silence()
      throw new Error('for another reason')
    })
    await expect(failing).rejects.toThrow('for another reason')
    proxy.heal()
    expect(await one()).toHaveLength(1)
  })

  test('while committing leaves the outcome unknown, and the answer says so', async () => {
    await one()
    const failing = db.transaction(async (tx) => {
      await tx.query(insert(1))
      proxy.swallowAnswers()
    })
    await expect(failing).rejects.toThrow(
      /a change may or may not have been made: repeat it with the same Idempotency-Key/,
    )
    expect(await seen()).toEqual([1])
  })
})

describe('a deadlock', () => {
  const GATE = 1
  let gatekeeper: Client
  beforeEach(async () => {
    // The limits of the functions' role would end what waits here for long.
    db = open(4, { timeoutMs: PATIENT_MS, url: database.superuserUrl })
    gatekeeper = new Client(database.superuserUrl)
    await gatekeeper.connect()
  })
  afterEach(() => gatekeeper.end())

  /** Waits until a session waits for a lock. */
  const untilWaits = (pid: string) =>
    until(
      async () => {
        const waiting = `select from pg_stat_activity where ${pid} and wait_event_type = 'Lock'
          and datname = current_database()`
        return (await gatekeeper.query(waiting)).rows.length === 1
      },
      { what: 'a lock to be waited for' },
    )

  test.each([
    ['a statement of its own', (statement: Statement) => db.query(statement)],
    ['a transaction', (statement: Statement) => db.transaction((tx) => tx.query(statement))],
  ])('undoes %s, and it runs again', async (_what, run) => {
    await db.query({ text: 'insert into seen values (1), (2)' })
    await gatekeeper.query('select pg_advisory_lock($1)', [GATE])
    const running = run({
      text: `do $$ begin
        update seen set n = n + 10 where n % 10 = 2;
        perform pg_advisory_xact_lock_shared(${GATE});
        update seen set n = n + 10 where n % 10 = 1;
      end $$`,
    })
    await untilWaits("application_name = 'test'")
    await administrator.query('begin')
    // Only the other looks for deadlocks, so it is the one that gives way. It looks once, a second after it
    // has begun to wait, so it waits last.
    await administrator.query(`set local deadlock_timeout = '10min'`)
    const [{ pid }] = (await administrator.query<{ pid: number }>('select pg_backend_pid() as pid')).rows as [
      { pid: number },
    ]
    await administrator.query('update seen set n = n + 10 where n % 10 = 1')
    const blocked = administrator.query('update seen set n = n + 10 where n % 10 = 2')
    await untilWaits(`pid = ${pid}`)
    await gatekeeper.query('select pg_advisory_unlock($1)', [GATE])
    await blocked
    await administrator.query('commit')
    await running
    expect(await seen()).toEqual([21, 22])
  })
})

describe('a database that refuses for the moment', () => {
  const refused = 'the database could not do this now, and nothing was changed'
  beforeEach(() => void (db = open(4, { timeoutMs: PATIENT_MS })))

  test.each(['53100', '53200', '58030', '57014', '55P03'])(
    'with %s is unavailable, and the connection stays open',
    async (state) => {
      await one()
      const failing = db.transaction(async (tx) => {
        await tx.query(insert(1))
        await tx.query({ text: `do $$ begin raise 'no' using errcode = '${state}'; end $$` })
      })
      await expect(failing).rejects.toThrow(refused)
      expect(await one()).toHaveLength(1)
      expect(await seen()).toEqual([])
      expect(proxy.opened).toBe(1)
    },
  )

  test('because a statement takes too long is unavailable, and no connection stays blocked', async () => {
    const failing = db.transaction(async (tx) => {
      await tx.query({ text: `set local statement_timeout = '50ms'` })
      await tx.query({ text: 'select pg_sleep(600)' })
    })
    await expect(failing).rejects.toThrow(refused)
    expect(await one()).toHaveLength(1)
    expect(proxy.opened).toBe(1)
  })

  test('because it is read-only loses its connections, and the next may lead to another server', async () => {
    await fill()
    const { rows } = await administrator.query<{ name: string }>('select current_database() as name')
    const readOnly = (value: string) =>
      administrator.query(`alter database ${rows[0]!.name} set default_transaction_read_only = ${value}`)
    await readOnly('on')
    await administrator.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'test'
        and datname = current_database()`,
    )
    // A moment later the pool has noticed that its connections are closed.
    await until(async () => (await one()).length === 1)
    await expect(db.query(insert(1))).rejects.toThrow(UnavailableError)
    await readOnly('off')
    await db.query(insert(2))
    await expect(
      db.transaction(async (tx) => {
        await tx.query({ text: 'set transaction read only' })
        await tx.query(insert(3))
      }),
    ).rejects.toThrow(UnavailableError)
    expect(await seen()).toEqual([2])
  })

  test('a transaction whose failed statement was ignored does not count as a success', async () => {
    const overlooked = db.transaction(async (tx) => {
      await tx.query(insert(1))
      await tx.query(insert(1)).catch(() => {})
    })
    await expect(overlooked).rejects.toThrow('rolled back')
    expect(await seen()).toEqual([])
  })
})
