import { randomUUID } from 'node:crypto'
import { inside, noted, startNotes } from './notes-fixture.ts'

let host: Awaited<ReturnType<typeof startNotes>>

beforeAll(async () => {
  host = await startNotes()
})

afterAll(() => host?.stop())

const deliver = (data: unknown, headers: Record<string, string> = {}) =>
  host.request('POST', '/events', {
    body: data,
    headers: {
      host: 'notes.bank.svc.cluster.local',
      'ce-specversion': '1.0',
      'ce-id': randomUUID(),
      'ce-type': noted.type,
      'ce-source': '/microbank/notifications',
      ...headers,
    },
  })

test('one that keeps its contract is handed over, and answered without a body', async () => {
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

test('nobody but the platform finds the endpoint', async () => {
  expect((await deliver({ text: 'forged' }, { host: 'notes.microbank.localhost' })).status).toBe(404)
})
