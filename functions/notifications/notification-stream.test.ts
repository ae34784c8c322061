import { randomInt, randomUUID } from 'node:crypto'
import { createLog } from '../../monitoring/log.ts'
import { openDatabase, type Database } from '../host/database/database.ts'
import { testDatabase, type TestDatabase } from '../../tests/support/databases.ts'
import { eventKey, signingKey, startFunction, token, type TestFunction } from '../../tests/support/host.ts'
import { inOtherProcess } from '../../tests/support/other-process.ts'
import { until } from '../../tests/support/until.ts'
import { notificationSchema } from './notification.ts'
import notificationStream from './notification-stream.ts'
import { storeNotifications, type NewNotification } from './store.ts'
import { MISSED_MAX, placeToResume } from './stream/missed.ts'
import { StreamClient } from './testing/stream-client.ts'

const log = createLog({}, 'error')
let database: TestDatabase
let db: Database
let instances: TestFunction[]
const clients: StreamClient[] = []

const start = () =>
  startFunction(notificationStream, {
    NOTIFICATIONS_DATABASE_URL: database.url,
    BROKER_URL: 'http://127.0.0.1:9/',
  })

beforeAll(async () => {
  database = await testDatabase('notifications')
  db = openDatabase({ url: database.url, poolMax: 8, name: 'test', log })
  instances = [await start(), await start()]
})

afterEach(() => {
  for (const client of clients.splice(0)) client.close()
})

afterAll(async () => {
  for (const instance of instances) await instance.stop()
  await db.close()
  await database.drop()
})

interface Where {
  lastId?: string | undefined
  instance?: TestFunction | undefined
  bearer?: string
  query?: string
}

async function listen(userId: string, where: Where = {}): Promise<StreamClient> {
  const { lastId, instance = instances[0]!, bearer = await token({ userId }), query = '' } = where
  const client = new StreamClient(`${instance.url}/notifications/stream${query}`, { token: bearer, lastId })
  clients.push(client)
  await until(() => client.text !== '' || client.ended, { what: 'an answer' })
  return client
}

const notificationOf = (userId: string): NewNotification => ({
  consumer: 'notify',
  event_source: '/microbank/ledger',
  event_id: randomUUID(),
  event_type: 'transaction.completed',
  user_id: userId,
  subject: randomUUID(),
  message: 'Deposit of $1.00 completed.\nNew balance: $2.00',
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
})

const store = async (userId: string, count = 1): Promise<string[]> =>
  (
    await storeNotifications(
      db,
      Array.from({ length: count }, () => notificationOf(userId)),
    )
  ).map(({ subject }) => subject)

/** Stores a notification in a transaction that stays open until `finish` is called. */
async function storeSlowly(userId: string) {
  let finish = (): void => undefined
  const mayFinish = new Promise<void>((resolve) => (finish = resolve))
  let isStored = false
  const committed = db.transaction(async (tx) => {
    await storeNotifications(tx as Database, [notificationOf(userId)])
    isStored = true
    await mayFinish
  })
  await until(() => isStored)
  return { finish, committed }
}

/** The ids of all notifications of a user. */
const storedIds = async (userId: string): Promise<string[]> =>
  (
    await db.query<{ id: string }>({
      text: 'select id from notifications where user_id = $1',
      values: [userId],
    })
  ).map(({ id }) => id)

/** Returns a source of numbers below a limit, the same for the same seed (Park and Miller, 1988). */
function random(seed: number): (limit: number) => number {
  let state = (seed % 2_147_483_646) + 1
  return (limit) => (state = (state * 48_271) % 2_147_483_647) % limit
}

const sorted = (ids: readonly string[]): string[] => [...ids].sort()
const idsOf = ({ events }: StreamClient): string[] => events.map(({ id }) => id)

test('sends what is stored from now on, to its owner alone', async () => {
  const [userId, other] = [randomUUID(), randomUUID()]
  await store(userId)
  const [mine, theirs] = await Promise.all([listen(userId), listen(other)])
  const before = idsOf(mine!)
  await store(userId)
  await store(other)
  await until(() => mine!.events.length > before.length && theirs!.events.length > 0)
  const { id, type, data } = mine!.events.at(-1)!
  expect(data).toMatchObject({
    id,
    user_id: userId,
    message: 'Deposit of $1.00 completed.\nNew balance: $2.00',
  })
  expect(type).toBe('notification')
  expect(Object.keys(data).sort()).toEqual([...notificationSchema.required].sort())
  expect(theirs!.events.map((event) => event.data.user_id)).toEqual([other])
  expect(mine!.text).toMatch(/^retry: \d+\nid: @\d+\.\d+\n\n/)
})

test('leaves out what is only sent, as the list does: now, and of what was missed', async () => {
  const userId = randomUUID()
  const storeSent = () =>
    storeNotifications(db, [{ ...notificationOf(userId), event_type: 'session.started', channel: 'email' }])
  const first = await listen(userId)
  await storeSent()
  await store(userId)
  await until(() => first.events.length > 0)
  await storeSent()
  const [id] = await store(userId)
  const second = await listen(userId, { lastId: first.lastId, instance: instances[1] })
  await until(() => idsOf(second).includes(id!))
  const types = [...first.events, ...second.events].map(({ data }) => data.event_type)
  expect(types).not.toContain('session.started')
})

test('goes on after the last event, from any instance', async () => {
  const userId = randomUUID()
  const first = await listen(userId)
  await store(userId, 3)
  await until(() => first.events.length === 3)
  first.close()
  await store(userId, 450)
  const second = await listen(userId, { lastId: first.events[1]!.id, instance: instances[1] })
  await until(() => second.events.length >= 451)
  expect(sorted([...idsOf(first).slice(0, 2), ...idsOf(second)])).toEqual(sorted(await storedIds(userId)))
  const third = await listen(userId, { query: `?last_event_id=${second.events[449]!.id}` })
  await until(() => third.events.length > 0)
  expect(idsOf(third)).toEqual([second.lastId])
})

test('goes on from its beginning, if nothing came before the client left', async () => {
  const userId = randomUUID()
  const first = await listen(userId)
  first.close()
  const [missed] = await store(userId)
  const second = await listen(userId, { lastId: first.lastId, instance: instances[1] })
  await until(() => second.events.length > 0)
  expect(idsOf(second)).toEqual([missed])
})

test('a client that says too early a time of its place has no more read than what came after it', async () => {
  const userId = randomUUID()
  const before = Date.now()
  await store(userId)
  const [{ xact }] = (await db.query<{ xact: string }>({
    text: 'select pg_snapshot_xmin(pg_current_snapshot()) as xact',
  })) as [{ xact: string }]
  const { ms } = await placeToResume(db, userId, { after: 'place', xact: BigInt(xact), ms: 0 })
  // The id's time is the database's.
  expect(ms).toBeGreaterThan(before - 60_000)
})

test('passes over no notification whose transaction ends later than those after it', async () => {
  const userId = randomUUID()
  const first = await listen(userId)
  const slow = await storeSlowly(userId)
  const [quick] = await store(userId)
  await until(async () => (await storedIds(userId)).length === 1)
  // It comes back, as if the quick one had been sent.
  const second = await listen(userId, { lastId: quick, instance: instances[1] })
  slow.finish()
  await slow.committed
  await until(() => first.events.length === 2)
  expect(idsOf(first).at(-1)).toBe(quick)
  expect(idsOf(second)).toEqual([])
})

test('whenever clients come back, and wherever, they get each notification once, while many connections store', async () => {
  const seed = randomInt(2 ** 31)
  const below = random(seed)
  const users = [randomUUID(), randomUUID(), randomUUID()]
  const beginnings = new Map<string, string | undefined>()
  for (const userId of users) {
    const client = await listen(userId)
    beginnings.set(userId, client.lastId)
    client.close()
  }
  const received = new Map(users.map((userId) => [userId, [] as string[]]))
  let isStoring = true
  const storing = Array.from({ length: 6 }, async (_, n) => {
    for (let i = 0; i < 40; i++) {
      const [userId, other] = [users[below(3)]!, users[below(3)]!]
      if (n > 1) await store(userId, 1 + below(3))
      else {
        // Its ids are older than those that others commit meanwhile.
        const slow = await storeSlowly(userId)
        await store(other)
        slow.finish()
        await slow.committed
      }
    }
  })
  const listening = users.map(async (userId) => {
    let lastId = beginnings.get(userId)
    const all = received.get(userId)!
    for (let isLast = false; !isLast;) {
      isLast = !isStoring
      const client = await listen(userId, { lastId, instance: instances[below(2)] })
      expect(client.status).toBe(200)
      const wanted = isLast ? (await storedIds(userId)).length - all.length : below(30)
      await until(() => client.events.length >= wanted || (!isLast && !isStoring))
      client.close()
      lastId = client.lastId
      all.push(...idsOf(client))
    }
  })
  await Promise.all(storing)
  isStoring = false
  await Promise.all(listening)
  for (const userId of users) {
    const all = received.get(userId)!
    const stored = await storedIds(userId)
    expect([seed, new Set(all).size, all.length]).toEqual([seed, stored.length, stored.length])
  }
})

test('needs no statement for a stream that begins', async () => {
  const { tools } = instances[0]!
  const asked: (string | undefined)[] = []
  const query = jest.spyOn(tools.db, 'query').mockImplementation((statement) => {
    asked.push(statement.name)
    return db.query(statement)
  })
  await Promise.all(Array.from({ length: 60 }, () => listen(randomUUID())))
  query.mockRestore()
  expect(asked.filter((name) => name !== 'stream-now' && name !== 'stream-read')).toEqual([])
  expect(asked.length).toBeLessThan(60)
})

describe('a process with a thousand streams', () => {
  const STREAMS = 1_000
  const EACH = 8
  const ROUND = 10
  const users = Array.from({ length: STREAMS / EACH }, () => randomUUID())

  interface Taken {
    /** What it holds after its garbage is collected. */
    bytes: number
    /** Statements so far, by name. */
    statements: Record<string, number>
  }

  /** Starts a process of its own, as on a cluster. `look` tells what it has taken. */
  async function startAlone() {
    const { child, message } = await inOtherProcess<{ port: number }>(`
      import { setFlagsFromString } from 'node:v8'
      import { runInNewContext } from 'node:vm'
      import { compileValidators } from './functions/host/http/compile-validators.ts'
      import { serve } from './functions/host/start/serve.ts'
      import operation from './functions/notifications/notification-stream.ts'
      setFlagsFromString('--expose-gc')
      const collect = runInNewContext('gc')
      const statements = {}
      process.on('message', () => {
        collect()
        const { heapUsed, external } = process.memoryUsage()
        process.send({ bytes: heapUsed + external, statements })
      })
      process.on('disconnect', () => process.exit())
      const settings = ${JSON.stringify({
        ...{ PORT: '0', HOST: '127.0.0.1', LOG_LEVEL: 'off' },
        ...{ NOTIFICATIONS_DATABASE_URL: database.url, BROKER_URL: 'http://127.0.0.1:9/' },
        ...{ JWKS: signingKey.jwks, NOTIFICATIONS_EVENT_KEY: eventKey('notifications') },
        FRONT_DOOR_KEY: 'a key that is only good for tests, no more',
      })}
      const parts = { validators: compileValidators(operation), catalogue: [], settings: {} }
      void serve(operation, parts, settings).then(({ port, tools }) => {
        const { query } = tools.db
        tools.db.query = (statement) => {
          statements[statement.name] = (statements[statement.name] ?? 0) + 1
          return query(statement)
        }
        process.send({ port })
      })
    `)
    const look = (): Promise<Taken> =>
      new Promise((resolve) => {
        child.once('message', (taken) => resolve(taken as Taken))
        child.send('look')
      })
    return { child, look, instance: { url: `http://127.0.0.1:${message.port}` } as TestFunction }
  }

  /** Opens some streams of each user, a hundred at a time. */
  async function open(instance: TestFunction, each: number): Promise<StreamClient[]> {
    const bearers = await Promise.all(users.map((userId) => token({ userId })))
    const opened: StreamClient[] = []
    for (const bearer of bearers.flatMap((one) => Array<string>(each).fill(one))) {
      opened.push(new StreamClient(`${instance.url}/notifications/stream`, { token: bearer }))
      if (opened.length % 100 === 0)
        await until(() => opened.every(({ text }) => text !== ''), { what: 'the streams to be open' })
    }
    clients.push(...opened)
    return opened
  }

  const storeRound = () =>
    storeNotifications(
      db,
      users.flatMap((userId) => Array.from({ length: ROUND }, () => notificationOf(userId))),
    )

  /** Stores notifications for each user, and waits until each stream has had as many in all. */
  async function tell(streams: readonly StreamClient[], inAll: number): Promise<void> {
    await storeRound()
    await until(() => streams.every(({ events }) => events.length >= inAll), { what: 'all to be told' })
  }

  test('takes some kilobytes and no statement for each, and what its death cuts off goes on elsewhere', async () => {
    const { child, look, instance } = await startAlone()
    const lookUntil = (bytes: number) =>
      until(
        async () => {
          const taken = await look()
          return taken.bytes < bytes && taken
        },
        // What is on its way to a client is let go soon.
        { what: `the process to hold less than ${bytes} bytes` },
      )
    const streams = await open(instance, EACH / 2)
    const half = await look()
    streams.push(...(await open(instance, EACH / 2)))
    // It has some 14 kB each.
    const full = await lookUntil(half.bytes + (STREAMS / 2) * 60_000)
    expect([...new Set(streams.map(({ status }) => status))]).toEqual([200])

    await tell(streams, ROUND)
    await tell(streams, 2 * ROUND)
    // Notifications have some 600 bytes: a stream that kept what it has sent would have 12 kB more.
    const { statements } = await lookUntil(full.bytes + STREAMS * 6_000)
    // The streams ask four times a second, however many there are.
    expect(statements['stream-read']).toBeGreaterThan(0)
    expect(Object.values(statements).reduce((sum, count) => sum + count, 0)).toBeLessThan(STREAMS)

    child.kill('SIGKILL')
    await until(() => streams.every(({ ended }) => ended), { what: 'all streams to be cut off' })
    await storeRound()
    // The streams of the first four users come back, each to another process than before.
    const cutOff = streams.slice(0, 2 * EACH)
    const back = await Promise.all(
      cutOff.map(({ lastId }, i) =>
        listen(users[Math.floor(i / (EACH / 2))]!, { lastId, instance: instances[i % 2] }),
      ),
    )
    await until(() => back.every(({ events }) => events.length >= ROUND), { what: 'what was missed' })
    const stored = await Promise.all(users.slice(0, 4).map(storedIds))
    expect(cutOff.map((before, i) => sorted([...idsOf(before), ...idsOf(back[i]!)]))).toEqual(
      cutOff.map((_before, i) => sorted(stored[Math.floor(i / (EACH / 2))]!)),
    )
  })
})

test('streams outlive a database that breaks its connections', async () => {
  const userId = randomUUID()
  const client = await listen(userId)
  const owner = openDatabase({
    url: database.superuserUrl,
    poolMax: 1,
    name: 'test',
    log: createLog({}, 'error'),
  })
  await owner.query({
    text: `select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and application_name = 'notification-stream'`,
    values: [database.name],
  })
  await owner.close()
  const [id] = await store(userId)
  await until(() => client.events.length > 0)
  expect([idsOf(client), client.ended]).toEqual([[id], undefined])
})

test('goes on with notifications that were restored from a server with more transactions', async () => {
  const userId = randomUUID()
  const [first] = await store(userId)
  await store(userId)
  const owner = openDatabase({ url: database.ownerUrl, poolMax: 1, name: 'test', log })
  await owner.query({ text: `update notifications set xact = '99999999999'` })
  await owner.query({ text: 'select after_restore()' })
  await owner.close()
  const client = await listen(userId, { lastId: first })
  await store(userId)
  await until(() => client.events.length === 2)
  expect(sorted([first!, ...idsOf(client)])).toEqual(sorted(await storedIds(userId)))
})

describe('is refused', () => {
  test('without a token', async () => {
    const client = new StreamClient(`${instances[0]!.url}/notifications/stream`, {})
    await until(() => client.status > 0)
    expect(client.status).toBe(401)
  })

  test.each([
    ['is none', () => 'x'],
    ['is unknown', () => randomUUID()],
    ['is too long', () => '@1.1'.padEnd(100, '1')],
    ['lies in the future of the database', () => `@999999999999999999.${Date.now()}`],
    ['is another’s', async () => (await store(randomUUID()))[0]!],
  ])('with a last event that %s', async (_what, idOf) => {
    for (const where of [{ lastId: await idOf() }, { query: `?last_event_id=${await idOf()}` }]) {
      const client = await listen(randomUUID(), where)
      expect([client.status, JSON.parse(client.text).errors[0].path]).toEqual([400, '/last_event_id'])
    }
  })

  test('beyond eight of one user, until one has ended', async () => {
    const userId = randomUUID()
    const open = await Promise.all(Array.from({ length: 8 }, () => listen(userId)))
    expect(open.map(({ status }) => status)).toEqual(Array(8).fill(200))
    expect((await listen(userId)).status).toBe(429)
    expect((await listen(randomUUID())).status).toBe(200)
    open[0]!.close()
    await until(async () => (await listen(userId)).status === 200)
  })

  test('to a client that has missed more than a stream is for', async () => {
    const userId = randomUUID()
    const [first] = await store(userId)
    await store(userId, MISSED_MAX)
    const client = await listen(userId, { lastId: first })
    await until(() => client.events.length === MISSED_MAX)
    await store(userId)
    const late = await until(async () => {
      const again = await listen(userId, { lastId: first })
      if (again.status === 410) return again
      // It began before the last was known.
      again.close()
      return undefined
    })
    expect(JSON.parse(late.text).type).toBe('https://microbank.dev/problems/stream-too-far-behind')
  })
})

describe('ends', () => {
  test('when the access token expires', async () => {
    const userId = randomUUID()
    let seconds = 1
    // A busy machine may need longer than a short token lives.
    const client = await until(async () => {
      const bearer = await token({ userId }, `${(seconds *= 2)}s`)
      const listening = await listen(userId, { bearer })
      return listening.status === 200 && listening
    })
    await until(() => client.ended)
    expect(client.ended).toBe('complete')
    const place = client.lastId
    expect([client.events.at(-1), place]).toEqual([
      { id: place, type: 'end', data: { reason: 'token-expired' } },
      expect.stringMatching(/^@/),
    ])
  })

  test('when its time is over, in less than the five minutes after which proxies cut off', async () => {
    const client = await listen(randomUUID())
    const now = performance.now.bind(performance)
    const later = jest.spyOn(performance, 'now').mockImplementation(() => now() + 240_000)
    await until(() => client.ended)
    later.mockRestore()
    expect([client.ended, client.events.at(-1)]).toMatchObject([
      'complete',
      { type: 'end', data: { reason: 'time-over' } },
    ])
  })

  test('when the process stops, which does not wait for it', async () => {
    const stopping = await start()
    const open = await Promise.all([1, 2, 3].map(() => listen(randomUUID(), { instance: stopping })))
    await stopping.stop()
    await until(() => open.every(({ ended }) => ended))
    expect(open.map(({ ended }) => ended)).toEqual(['complete', 'complete', 'complete'])
    expect(open.flatMap(({ events }) => events)).toEqual([])
  })
})
