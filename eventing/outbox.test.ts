import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { openDatabase, type Database } from '../functions/host/database/database.ts'
import { createSend } from '../functions/host/http/send.ts'
import { createLog, type Log } from '../monitoring/log.ts'
import { testDatabase, type TestDatabase } from '../tests/support/databases.ts'
import { until } from '../tests/support/until.ts'
import { notificationStored } from './contracts/notification.stored.ts'
import { eventFromHttp } from './http-binding.ts'
import { isSigned } from './signature.ts'
import { createOutbox, QUEUED_MAX, writeEvents, type Outbox } from './outbox.ts'
import type { PendingEvent } from './outbox-event.ts'

const KEY = 'a key that is only good for tests, no more'
const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

/** A server in place of the Broker's ingress, which can be told to fail. */
interface Ingress {
  received: { headers: Record<string, unknown>; body: string }[]
  answer: (headers: Record<string, unknown>) => number
  /** What it waits for before it answers. */
  ready: Promise<void> | undefined
  /** Requests that wait for `ready`. */
  waiting: number
  url: string
  server: Server
}

let database: TestDatabase
let db: Database
let ingress: Ingress

beforeAll(async () => {
  database = await testDatabase('notifications')
  db = open()
  ingress = await startIngress()
})

beforeEach(async () => {
  ingress.received = []
  ingress.answer = () => 202
  ingress.ready = undefined
  await db.query({ text: 'delete from outbox_pending' })
})

afterAll(async () => {
  ingress.server.closeAllConnections()
  ingress.server.close()
  await db.close()
  await database.drop()
})

const silent = createLog({}, 'error', () => {})
const open = (): Database => openDatabase({ url: database.url, poolMax: 4, name: 'test', log: silent })
const outboxOf = (on: Database = db, log: Log = silent): Outbox =>
  createOutbox({
    db: on,
    post: createSend(undefined).pipeline(ingress.url).post,
    log,
    signingKey: KEY,
  })

async function startIngress(): Promise<Ingress> {
  const state: Omit<Ingress, 'server' | 'url'> = {
    received: [],
    answer: () => 202,
    ready: undefined,
    waiting: 0,
  }
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    const receive = async (): Promise<void> => {
      state.waiting++
      await state.ready
      state.waiting--
      const status = state.answer(request.headers)
      if (status === 0) return void response.destroy()
      if (status === 202) state.received.push({ headers: request.headers, body })
      response.writeHead(status).end()
    }
    request.on('end', () => void receive())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  return Object.assign(state, { server, url })
}

/** Commits `count` events without publishing them, like a process that dies after its commit. */
const commit = (count: number): Promise<PendingEvent[]> =>
  db.transaction((tx) =>
    writeEvents(
      tx,
      Array.from({ length: count }, (_, i) => ({
        contract: notificationStored,
        event: { subject: `thing-${i}`, partitionkey: 'user', data: { number: i } },
      })),
      TRACE,
    ),
  )

const expire = (): Promise<unknown> => db.query({ text: `update outbox_pending set claimed_until = now()` })

const pending = async (): Promise<number> =>
  (await db.query({ text: 'select unnest(event_ids) from outbox_pending' })).length

const receivedIds = (): string[] => ingress.received.map(({ headers }) => String(headers['ce-id'])).sort()

test('a published event has all its attributes, and is pending no more', async () => {
  const [event] = await commit(1)
  outboxOf().publish([event!])
  await until(async () => (await pending()) === 0)
  expect(ingress.received).toHaveLength(1)
  expect(ingress.received[0]).toMatchObject({
    headers: {
      'content-type': 'application/json',
      'ce-specversion': '1.0',
      'ce-id': event!.id,
      'ce-type': 'notification.stored',
      'ce-source': '/microbank/notifications',
      'ce-subject': 'thing-0',
      'ce-dataschema': 'https://microbank.dev/events/notification.stored/1',
      'ce-partitionkey': 'user',
      'ce-traceparent': TRACE,
      traceparent: TRACE,
    },
    body: '{"number":0}',
  })
})

test('an event says which groups its type is in, and the signature covers them', async () => {
  const [event] = await commit(1)
  await outboxOf().send({ ...event!, type: 'account.frozen' })
  const [{ headers, body }] = ingress.received as [(typeof ingress.received)[0]]
  expect(headers).toMatchObject({ 'ce-webhooks': 'offered', 'ce-tells': 'user' })
  expect(headers).not.toHaveProperty('ce-changes')
  const message = eventFromHttp(headers as IncomingHttpHeaders, Buffer.from(body))
  const { tells: _, ...others } = message.attributes
  expect([isSigned(message, KEY), isSigned({ ...message, attributes: others }, KEY)]).toEqual([true, false])
})

test('an event has the same signature whether it is published at once or by a sweep', async () => {
  const [event] = await commit(1)
  outboxOf().publish([event!])
  await until(async () => (await pending()) === 0)
  await db.query({
    text: 'insert into outbox_pending (event_ids, claimed_until) values (array[$1::uuid], now())',
    values: [event!.id],
  })
  expect(await outboxOf().sweep()).toBe(1)
  const [first, second] = ingress.received.map(({ headers, body }) =>
    eventFromHttp(headers as IncomingHttpHeaders, Buffer.from(body)),
  )
  expect([isSigned(first!, KEY), isSigned(second!, KEY), isSigned(first!, `${KEY}!`)]).toEqual([
    true,
    true,
    false,
  ])
})

test('a sweep publishes events that were committed but never published, with the ids that they have', async () => {
  const events = await commit(450)
  await expire()
  expect(await outboxOf().sweep()).toBe(450)
  expect(receivedIds()).toEqual(events.map(({ id }) => id).sort())
  expect(await pending()).toBe(0)
})

test('a sweep deletes a row that another process has emptied', async () => {
  await db.query({ text: `insert into outbox_pending (event_ids, claimed_until) values ('{}', now())` })
  expect(await outboxOf().sweep()).toBe(0)
  expect(await db.query({ text: 'select from outbox_pending' })).toEqual([])
})

test('an event that no table has is not forgotten, is named, and does not hold up those in its row', async () => {
  const [event] = await commit(1)
  const missing = '01900000-0000-8000-8000-000000000000'
  await db.query({
    text: `update outbox_pending set event_ids = $1::uuid[] || event_ids, claimed_until = now()`,
    values: [[missing]],
  })
  const lines: string[] = []
  const log = createLog({}, 'error', (line) => void lines.push(line))
  expect(await outboxOf(db, log).sweep()).toBe(1)
  expect(receivedIds()).toEqual([event!.id])
  expect(lines.join()).toContain(missing)
  const rows = {
    text: `select event_ids, claimed_until > now() + interval '30 minutes' as later from outbox_pending`,
  }
  expect(await db.query(rows)).toEqual([{ event_ids: [missing], later: true }])
  await expire()
  expect(await outboxOf().sweep()).toBe(0)
  expect(await db.query(rows)).toEqual([{ event_ids: [missing], later: true }])
})

test('a sweep leaves events alone while their writer still has time to publish them', async () => {
  await commit(3)
  expect(await outboxOf().sweep()).toBe(0)
  expect(await pending()).toBe(3)
})

test('sweeps at the same moment share the work and send nothing twice', async () => {
  await commit(1200)
  await expire()
  const processes = Array.from({ length: 6 }, open)
  const counts = await Promise.all(processes.map((process) => outboxOf(process).sweep()))
  await Promise.all(processes.map((process) => process.close()))
  expect(counts.reduce((sum, count) => sum + count)).toBe(1200)
  expect(new Set(receivedIds()).size).toBe(1200)
  expect(ingress.received).toHaveLength(1200)
})

test.each([
  ['refuses', 503],
  ['fails', 500],
  ['breaks the connection', 0],
])(
  'while the Broker %s, no event is lost; when it is back, the same process publishes all',
  async (_how, status) => {
    ingress.answer = () => status
    const events = await commit(40)
    const outbox = outboxOf()
    outbox.publish(events)
    await outbox.drain()
    expect(await pending()).toBe(40)
    ingress.answer = () => 202
    outbox.publish(await commit(1))
    await expire()
    expect(await outbox.sweep()).toBeGreaterThanOrEqual(40)
    await until(async () => (await pending()) === 0)
    expect(receivedIds()).toEqual(expect.arrayContaining(events.map(({ id }) => id)))
  },
)

test('events that could not be published are released at once, for the next sweep of any process', async () => {
  ingress.answer = () => 503
  const outbox = outboxOf()
  outbox.publish(await commit(5))
  await until(async () => {
    const rows = await db.query({
      text: `select from outbox_pending p, unnest(p.event_ids)
        where claimed_until <> claimed_at + interval '10 seconds'`,
    })
    return rows.length === 5
  })
  ingress.answer = () => 202
  expect(await outboxOf().sweep()).toBe(5)
})

test('if the Broker fails during a sweep, the sweep releases the remaining events at once', async () => {
  await commit(300)
  await expire()
  let left = 100
  ingress.answer = () => (left-- > 0 ? 202 : 503)
  await expect(outboxOf().sweep()).rejects.toThrow(/did not take/)
  expect(await pending()).toBe(200)
  ingress.answer = () => 202
  expect(await outboxOf().sweep()).toBe(200)
})

test('while the Broker does not answer, memory holds a bounded number of events; a sweep publishes the rest', async () => {
  let answer = (): void => {}
  ingress.ready = new Promise((resolve) => (answer = resolve))
  const events = await commit(12_000)
  const outbox = outboxOf()
  for (let n = 0; n < events.length; n += 500) outbox.publish(events.slice(n, n + 500))
  await until(() => ingress.waiting > 0)
  expect(ingress.waiting).toBeLessThanOrEqual(32)
  answer()
  await outbox.drain()
  const left = await pending()
  // Events that found no room in memory, and events that waited for too long.
  expect(left).toBeGreaterThanOrEqual(events.length - QUEUED_MAX)
  await expire()
  expect(await outbox.sweep()).toBe(left)
  expect(await pending()).toBe(0)
  expect(receivedIds()).toEqual(events.map(({ id }) => id).sort())
})

test('an event that the Broker refuses as invalid does not hold up others', async () => {
  const events = await commit(600)
  await expire()
  const refused = new Set(events.slice(0, 510).map(({ id }) => id))
  ingress.answer = ({ 'ce-id': id }) => (refused.has(String(id)) ? 400 : 202)
  expect(await outboxOf().sweep()).toBe(90)
  expect(await pending()).toBe(510)
  const soon = `select from outbox_pending where claimed_until < now() + interval '30 minutes'`
  expect(await db.query({ text: soon })).toEqual([])
})

test('events of a transaction that rolls back are never published', async () => {
  const failing = db.transaction(async (tx) => {
    await writeEvents(
      tx,
      [{ contract: notificationStored, event: { subject: 's', partitionkey: 'p', data: {} } }],
      TRACE,
    )
    throw new Error('changed my mind')
  })
  await expect(failing).rejects.toThrow('changed my mind')
  expect(await pending()).toBe(0)
})

test('the functions’ role can neither change nor remove what was emitted', async () => {
  await commit(1)
  await expect(db.query({ text: `update outbox set type = 'x'` })).rejects.toThrow(/permission denied/)
  await expect(db.query({ text: 'delete from outbox' })).rejects.toThrow(/permission denied/)
})
