import { randomUUID } from 'node:crypto'
import { signEvent } from '../../../eventing/signature.ts'
import { eventKey, startFunction } from '../../../tests/support/host.ts'
import { inside, noted, notes, startNotes } from '../testing/notes-fixture.ts'

let host: Awaited<ReturnType<typeof startNotes>>

beforeAll(async () => {
  host = await startNotes()
})

afterAll(() => host?.stop())

const deliver = (data: unknown, headers: Record<string, string> = {}, key = eventKey('notifications')) => {
  const stated = {
    'ce-specversion': '1.0',
    'ce-id': randomUUID(),
    'ce-type': noted.type,
    'ce-source': '/microbank/notifications',
    'ce-subject': 'a note',
    'ce-time': '2026-01-05T09:30:00.120Z',
    ...headers,
  }
  const attributes = Object.fromEntries(Object.entries(stated).map(([name, value]) => [name.slice(3), value]))
  return host.request('POST', '/events', {
    body: data,
    headers: {
      host: 'notes.bank.svc.cluster.local',
      'ce-signature': signEvent(attributes, JSON.stringify(data), key),
      ...stated,
    },
  })
}

test('an event that keeps its contract reaches the consumer, and is answered without a body', async () => {
  const { status, body } = await deliver({ text: 'hello' })
  expect([status, body]).toEqual([204, ''])
  expect(inside.received).toContainEqual({ text: 'hello' })
})

test.each([
  ['data that breaks the contract', { text: 1 }, {}],
  ['another version', { text: 'a' }, { 'ce-dataschema': 'https://microbank.dev/events/note.taken/2' }],
  ['another type', { text: 'a' }, { 'ce-type': 'note.lost' }],
  ['no event at all', { text: 'a' }, { 'ce-specversion': '' }],
  ['an event without an id', { text: 'a' }, { 'ce-id': '' }],
])('%s is answered 5xx, so that the Broker keeps it', async (_what, data, headers) => {
  const before = inside.received.length
  expect((await deliver(data, headers)).status).toBe(500)
  expect(inside.received).toHaveLength(before)
})

const signedNote = (id: string) =>
  signEvent(
    {
      id,
      type: noted.type,
      source: '/microbank/notifications',
      subject: 'a note',
      time: '2026-01-05T09:30:00.120Z',
    },
    '{"text":"signed"}',
    eventKey('notifications'),
  )

test.each([
  ['has no signature', { text: 'signed' }, { 'ce-signature': '' }],
  ['has a signature of nothing', { text: 'signed' }, { 'ce-signature': 'forged' }],
  [
    'has other data than what was signed',
    { text: 'tampered' },
    { 'ce-id': 'n1', 'ce-signature': signedNote('n1') },
  ],
  ['has the signature of another', { text: 'signed' }, { 'ce-id': 'n3', 'ce-signature': signedNote('n2') }],
  [
    'has another subject',
    { text: 'signed' },
    { 'ce-id': 'n4', 'ce-subject': 'x', 'ce-signature': signedNote('n4') },
  ],
  [
    'has another time',
    { text: 'signed' },
    { 'ce-id': 'n5', 'ce-time': '2026-01-05T09:30:00.121Z', 'ce-signature': signedNote('n5') },
  ],
  [
    'was put into a group',
    { text: 'signed' },
    { 'ce-id': 'n7', 'ce-tells': 'user', 'ce-signature': signedNote('n7') },
  ],
])('an event that %s is refused, with the reason, and not acted on', async (_what, data, headers) => {
  const before = inside.received.length
  const { status, body } = await deliver(data, headers)
  expect([status, body.type]).toEqual([500, 'https://microbank.dev/problems/event-refused'])
  expect(body.detail).toMatch(/is not signed by the context notifications\.$/)
  expect(inside.received).toHaveLength(before)
})

test('an event that another context has signed is refused', async () => {
  expect((await deliver({ text: 'signed' }, {}, eventKey('ledger'))).status).toBe(500)
})

test('a signature stays valid if the Broker rewrote the time and added its own attributes', async () => {
  const headers = {
    'ce-id': 'n6',
    'ce-time': '2026-01-05T09:30:00.12Z',
    'ce-knativeerrorcode': '500',
    'ce-traceparent': '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    'ce-signature': signedNote('n6'),
  }
  expect((await deliver({ text: 'signed' }, headers)).status).toBe(204)
})

test('the reason is logged with the event’s id and trace, for Brokers that keep no answers', async () => {
  const lines: string[] = []
  const write = jest.spyOn(process.stdout, 'write').mockImplementation((line) => lines.push(String(line)) > 0)
  const loud = await startFunction(notes, {
    NOTIFICATIONS_DATABASE_URL: host.databaseUrl,
    BROKER_URL: 'http://127.0.0.1:9/',
    LOG_LEVEL: 'error',
  })
  const headers = {
    host: 'notes.bank.svc.cluster.local',
    ...{ 'ce-specversion': '1.0', 'ce-id': 'unsigned', 'ce-type': noted.type, 'ce-source': '/tests' },
  }
  const { status, body } = await loud.request('POST', '/events', { body: { text: 'a' }, headers })
  await loud.stop()
  write.mockRestore()
  const logged = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(status).toBe(500)
  expect(logged).toContainEqual(
    expect.objectContaining({
      level: 'error',
      message: 'event refused',
      event_id: 'unsigned',
      event_type: noted.type,
      reason: body.detail,
      trace_id: expect.stringMatching(/^[0-9a-f]{32}$/),
    }),
  )
})

test('nobody but the platform finds the endpoint', async () => {
  expect((await deliver({ text: 'forged' }, { host: 'notes.microbank.localhost' })).status).toBe(404)
})
