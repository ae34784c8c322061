import { randomUUID } from 'node:crypto'
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { catalogueOf } from '../host/catalogue.ts'
import { startFunction, token, type TestFunction } from '../../tests/support/host.ts'
import { operations } from '../../tests/support/repository.ts'
import { until } from '../../tests/support/until.ts'
import frontDoor from './front-door.ts'
import { STREAMS_EACH_MAX } from './stream-places.ts'

/** Stands in for the gateway to the functions: begins each answer, and does not end it. */
let gateway: Server
let open: Set<ServerResponse>
let door: TestFunction
const clients: IncomingMessage[] = []

beforeAll(async () => {
  open = new Set()
  gateway = createServer((_request, response) => {
    open.add(response)
    response.on('close', () => open.delete(response))
    response.writeHead(200, { 'content-type': 'text/csv' }).write('first')
  })
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve))
  const LOCAL_GATEWAY = `127.0.0.1:${(gateway.address() as AddressInfo).port}`
  door = await startFunction(frontDoor, { LOCAL_GATEWAY, TRUSTED_HOPS: '1' }, catalogueOf(await operations()))
})

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy()
  await until(() => open.size === 0)
})

afterAll(async () => {
  await door.stop()
  gateway.closeAllConnections()
  gateway.close()
})

interface Who {
  bearer?: string
  address?: string
  /** Begins an upload, instead of asking for a statement. */
  isUpload?: boolean
}

/** Sends a provider's web hook. Gives the status of the answer, which does not end. */
const sendHook = (): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const headers = { 'x-forwarded-for': '203.0.113.9', 'content-type': 'application/json' }
    request(
      `${door.url}/api/providers/sandbox/hooks`,
      { method: 'POST', headers, agent: false },
      (answer) => {
        answer.on('error', () => undefined)
        clients.push(answer)
        resolve(answer.statusCode)
      },
    )
      .on('error', reject)
      .end('{}')
  })

/** Asks for a statement, and takes nothing of it but its head. */
const ask = ({ bearer, address = '203.0.113.9', isUpload }: Who): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const headers = { 'x-forwarded-for': address, ...(bearer && { authorization: `Bearer ${bearer}` }) }
    const path = isUpload ? '/api/media/upload' : `/api/accounts/${randomUUID()}/statement`
    const method = isUpload ? 'POST' : 'GET'
    const asking = request(door.url + path, { method, headers, agent: false }, (answer) => {
      answer.on('error', () => undefined)
      clients.push(answer)
      resolve(answer)
    }).on('error', reject)
    if (isUpload) asking.write('the beginning')
    else asking.end()
  })

const statuses = async (count: number, who: Who): Promise<(number | undefined)[]> =>
  (await Promise.all(Array.from({ length: count }, () => ask(who)))).map(({ statusCode }) => statusCode)

const numberOf = (status: number, all: readonly unknown[]): number =>
  all.filter((each) => each === status).length

test('a caller who floods the door gets so many streams, and everybody else theirs', async () => {
  const flood = await statuses(300, { bearer: await token({ userId: randomUUID() }) })
  expect([numberOf(200, flood), numberOf(429, flood)]).toEqual([
    STREAMS_EACH_MAX.document,
    300 - STREAMS_EACH_MAX.document,
  ])
  expect((await ask({ bearer: await token({ userId: randomUUID() }) })).statusCode).toBe(200)
})

test('a caller who uploads slowly takes so many places, and everybody else has theirs', async () => {
  const flood = await statuses(20, { bearer: await token({ userId: randomUUID() }), isUpload: true })
  expect([numberOf(200, flood), numberOf(429, flood)]).toEqual([
    STREAMS_EACH_MAX.upload,
    20 - STREAMS_EACH_MAX.upload,
  ])
  const other = { bearer: await token({ userId: randomUUID() }), isUpload: true }
  expect((await ask(other)).statusCode).toBe(200)
})

test('a payment provider may send many web hooks at once from one address', async () => {
  const sent = await Promise.all(Array.from({ length: 40 }, sendHook))
  expect(numberOf(200, sent)).toBe(40)
})

test('a refusal says when to come back, and a place is free when its stream has ended', async () => {
  const who = { bearer: await token({ userId: randomUUID() }) }
  await statuses(STREAMS_EACH_MAX.document, who)
  const refused = await ask(who)
  expect([refused.statusCode, refused.headers['retry-after']]).toEqual([429, '5'])
  clients[0]!.destroy()
  await until(async () => (await ask(who)).statusCode === 200)
})

test.each([
  ['no token', undefined],
  ['a token that is not ours', 'e30.e30.e30'],
])('callers with %s count by their address', async (_what, bearer) => {
  const who = { ...(bearer && { bearer }), address: '203.0.113.1' }
  const flood = await statuses(50, who)
  expect(numberOf(200, flood)).toBe(STREAMS_EACH_MAX.document)
  expect((await ask({ ...who, address: '203.0.113.2' })).statusCode).toBe(200)
  // Who has a token of their own doesn't suffer from their neighbours.
  const own = { bearer: await token({ userId: randomUUID() }), address: '203.0.113.1' }
  expect((await ask(own)).statusCode).toBe(200)
})
