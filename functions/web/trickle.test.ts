import { connect, type Socket } from 'node:net'
import { catalogueOf } from '../host/catalogue.ts'
import { server, startGateway } from '../../knative/local/gateway/gateway-fixture.ts'
import { startFunction, type TestFunction } from '../../tests/support/host.ts'
import { answersIn } from '../../tests/support/raw.ts'
import { operations } from '../../tests/support/repository.ts'
import { until } from '../../tests/support/until.ts'
import frontDoor from './front-door.ts'

/** Bodies that trickle in hold no connection that honest requests need. */

const CLIENTS = 400
/** Connections that the front door has for bodies of unknown length. */
const STREAMS = 64

/** Refuses a caller without a token before it has read the body, as the host does. */
const refusing = `
  require('node:http').createServer((request, response) => {
    if (request.url === '/healthz') return response.end()
    response.writeHead(401, { 'content-type': 'application/problem+json', 'content-length': 2 }).end('{}')
  }).listen(process.env.PORT)`

let gateway: Awaited<ReturnType<typeof startGateway>>
let door: TestFunction
const clients: Trickle[] = []

beforeAll(async () => {
  gateway = await startGateway([
    { name: 'open-account', script: refusing },
    { name: 'login', script: server(`response.end('late')`) },
    { name: 'accounts', script: server(`response.end('mine')`) },
  ])
  const LOCAL_GATEWAY = `127.0.0.1:${gateway.internal.port}`
  door = await startFunction(frontDoor, { LOCAL_GATEWAY }, catalogueOf(await operations()))
})

afterEach(() => {
  for (const { socket } of clients.splice(0)) socket.destroy()
})

afterAll(async () => {
  await door?.stop()
  await gateway?.stop()
})

interface Trickle {
  socket: Socket
  received: string
  isClosed: boolean
}

/** Sends the head, and then a byte or chunk of a body every now and then, until the connection is closed. */
function trickle(head: string, piece: string): Trickle {
  let timer: NodeJS.Timeout | undefined
  const socket = connect(door.port, '127.0.0.1', () => {
    socket.write(head)
    timer = setInterval(() => socket.writable && socket.write(piece), 100)
  })
  const client: Trickle = { socket, received: '', isClosed: false }
  socket.on('data', (chunk) => (client.received += chunk.toString()))
  socket.on('error', () => undefined)
  socket.on('close', () => {
    clearInterval(timer)
    client.isClosed = true
  })
  clients.push(client)
  return client
}

async function expectHonestAnswers(): Promise<void> {
  for (let n = 0; n < 20; n++) {
    const { status, body } = await door.request('GET', '/api/accounts')
    expect([status, body]).toEqual([200, 'mine'])
  }
}

test.each([
  ['in chunks', 'transfer-encoding: chunked', '1\r\nx\r\n'],
  ['with a length', 'content-length: 1000000', 'x'],
])(
  'refused before they have arrived, %s: the client is told, its connection closed, and the function’s is free',
  async (_what, framing, piece) => {
    const head = `POST /api/accounts HTTP/1.1\r\nhost: bank\r\ncontent-type: application/json\r\n${framing}\r\n\r\n`
    for (let n = 0; n < CLIENTS; n++) trickle(head, piece)
    await expectHonestAnswers()
    await until(() => clients.every(({ isClosed }) => isClosed), { what: 'all to be cut' })
    for (const { received } of clients) {
      const answers = answersIn(received)
      expect(answers.map(({ status }) => status)).toEqual([401])
      expect(answers[0]!.head).toMatch(/\r\nconnection: close/i)
    }
    await until(() => gateway.service('open-account').status().inFlight === 0)
  },
)

test('that are small hold no function’s connection while they arrive', async () => {
  const head = `POST /api/auth/login HTTP/1.1\r\nhost: bank\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n\r\n`
  for (let n = 0; n < CLIENTS; n++) trickle(head, 'x')
  await expectHonestAnswers()
  expect(gateway.service('login').status()).toMatchObject({ inFlight: 0, coldStarts: 0 })
})

test('of unknown length hold only connections of their own kind', async () => {
  const head = `POST /api/auth/login HTTP/1.1\r\nhost: bank\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n`
  for (let n = 0; n < CLIENTS; n++) trickle(head, '1\r\nx\r\n')
  await until(() => gateway.service('login').status().inFlight === STREAMS)
  await expectHonestAnswers()
})
