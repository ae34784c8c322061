import { randomUUID } from 'node:crypto'
import { startFunction, token, type TestFunction } from '../../tests/support/host.ts'
import { until } from '../../tests/support/until.ts'
import { StreamClient } from '../notifications/testing/stream-client.ts'
import { startPlatform, type TestPlatform } from './platform-fixture.ts'
import stream from './platform-stream.ts'

let bank: TestPlatform
let running: TestFunction
let asOperator: string
let client: StreamClient

beforeAll(async () => {
  bank = await startPlatform()
  running = await startFunction(stream, bank.onLaptop, bank.catalogue)
  asOperator = await token({ userId: randomUUID(), role: 'operator' })
})
afterEach(async () => {
  client?.close()
  bank.reset()
  // Nothing is read any more when the last stream has ended.
  await until(async () => (await bank.api.connections()) === 0)
})
afterAll(async () => {
  await running.stop()
  await bank.stop()
})

const open = (bearer = asOperator): StreamClient =>
  (client = new StreamClient(`${running.url}/platform/stream`, { token: bearer }))
// oxlint-disable-next-line typescript/no-explicit-any
const all = (type: string): any[] =>
  client.events.filter((event) => event.type === type).map(({ data }) => data)
/** Waits for the whole picture. On a busy machine `away` may come before it. */
const whole = () => until(() => all('topology')[0])
/** Says whether a function was shown in a state: after an `away` on a busy machine, by a new picture. */
const showed = (name: string, state: string): boolean =>
  [...all('change'), ...all('topology')].some(({ functions = [] }) =>
    functions.some((each: { name: string; state: string }) => each.name === name && each.state === state),
  )

test('is for operators alone', async () => {
  expect((await running.request('GET', '/platform/stream')).status).toBe(401)
  const customer = await token({ userId: randomUUID() })
  expect((await running.request('GET', '/platform/stream', { token: customer })).status).toBe(403)
})

test('begins with the whole picture, and then tells only what changes', async () => {
  open()
  expect((await whole()).functions).toHaveLength(bank.manifests.services.length)
  bank.set('transfer', { processes: 1, inFlight: 1 })
  bank.trigger('send-email').delivered = 5
  // What the API's watch and the runtime tell may come one after the other.
  await until(() => showed('transfer', 'busy'))
  for (const { functions = [], triggers = [] } of all('change')) {
    for (const { name } of functions) expect(name).toBe('transfer')
    for (const { name, delivered } of triggers) expect([name, delivered]).toEqual(['send-email', 5])
  }
  await until(() => [...all('change'), ...all('topology').slice(1)].some(({ triggers }) => triggers))
  const types = client.events.map(({ type }) => type)
  const isAnew = (type: string, at: number) => type === 'topology' && at > 0 && types[at - 1] !== 'away'
  expect(types.filter(isAnew)).toEqual([])
})

test('says that it knows nothing while the runtime is away, and then shows all anew', async () => {
  open()
  await whole()
  bank.away(true)
  await until(() => client.events.at(-1)!.type === 'away')
  const told = client.events.length
  bank.away(false)
  await until(() => client.events.length > told)
  expect(client.events[told]!.type).toBe('topology')
})

test('goes on after its watches were ended', async () => {
  open()
  await whole()
  bank.api.endWatches()
  bank.set('accounts', { ready: false, reason: 'ended with code 3: no account book' })
  await until(() => showed('accounts', 'failing'))
})

test('a ninth stream of an operator is refused', async () => {
  const clients = Array.from({ length: 8 }, () => open())
  await until(() => clients.every(({ status }) => status === 200))
  const ninth = await running.request('GET', '/platform/stream', { token: asOperator })
  expect([ninth.status, ninth.headers.get('retry-after')]).toEqual([429, '5'])
  for (const each of clients) each.close()
})

test('ends when the token does', async () => {
  open()
  await whole()
  const now = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 3_600_000)
  await until(() => client.ended === 'complete').finally(() => now.mockRestore())
  expect(all('end')).toEqual([{ reason: 'token-expired' }])
})
