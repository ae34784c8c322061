import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import https from 'node:https'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inOtherProcess } from '../../tests/support/other-process.ts'
import { until } from '../../tests/support/until.ts'
import { EventSender, type DeliveryOutcome } from './attempt.ts'
import { startSubscriber, type Answering } from './broker-fixture.ts'
import { ANSWER_BYTES_MAX, DETAIL_BYTES_MAX } from './post.ts'

/** One attempt to deliver an event, against servers that behave well and badly. */

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

function newSender(): EventSender {
  const sender = new EventSender()
  undo.push(() => sender.close())
  return sender
}

const event = {
  attributes: { specversion: '1.0', id: '1', source: '/s', type: 't', datacontenttype: 'text/plain' },
  data: Buffer.from([0, 255, 13, 10, 128]),
}
const MINUTE_MS = 60_000

async function subscriberThat(answering: Answering) {
  const subscriber = await startSubscriber(answering)
  undo.push(() => subscriber.stop())
  return subscriber
}

/** Starts a server of bare TCP. `onRequest` is called for each request with the number of its connection and
 * its own number on it, both from 1. */
async function rawServer(onRequest: (socket: Socket, connection: number, nth: number) => void) {
  const sockets: Socket[] = []
  const server: Server = createServer((socket) => {
    const connection = sockets.push(socket)
    let requests = 0
    socket.on('error', () => undefined)
    socket.on('data', () => onRequest(socket, connection, ++requests))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  undo.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, sockets }
}

const NO_CONTENT = 'HTTP/1.1 204 No Content\r\n\r\n'
const failure = (outcome: DeliveryOutcome) => ({
  ...outcome,
  ...(outcome.kind === 'failed' && { detail: outcome.detail.toString() }),
})

test('an event arrives byte for byte, with the Host header that its destination names', async () => {
  const subscriber = await subscriberThat(() => ({ status: 202 }))
  const to = { url: `${subscriber.url}/path?a=1`, host: 'notify.bank.svc.cluster.local' }
  expect(await newSender().send(event, to, MINUTE_MS)).toEqual({ kind: 'accepted', status: 202 })
  const { path, headers, body } = subscriber.received[0]!
  expect([path, body]).toEqual(['/path?a=1', event.data])
  expect(headers).toMatchObject({ host: to.host, 'ce-id': '1', 'content-length': '5', prefer: 'reply' })
})

test('events one after the other share a connection', async () => {
  const { url, sockets } = await rawServer((socket) => socket.write(NO_CONTENT))
  const sender = newSender()
  for (let n = 0; n < 3; n++) await sender.send(event, { url }, MINUTE_MS)
  expect(sockets).toHaveLength(1)
})

test('an event that meets the end of an idle connection goes over a fresh one and has not failed', async () => {
  const { url, sockets } = await rawServer((socket, _, nth) => {
    if (nth === 1) socket.write(NO_CONTENT)
    else socket.destroy()
  })
  const sender = newSender()
  for (let n = 0; n < 3; n++)
    expect(await sender.send(event, { url }, MINUTE_MS)).toEqual({ kind: 'accepted', status: 204 })
  expect(sockets).toHaveLength(3)
})

test('a destination that has said something has not closed an idle connection', async () => {
  const { url, sockets } = await rawServer((socket, _, nth) => {
    socket.write(nth === 1 ? NO_CONTENT : 'HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n')
  })
  const sender = newSender()
  expect(await sender.send(event, { url }, MINUTE_MS)).toEqual({ kind: 'accepted', status: 204 })
  expect(failure(await sender.send(event, { url }, MINUTE_MS))).toMatchObject({ kind: 'failed', status: -1 })
  expect(sockets).toHaveLength(1)
})

test('a fresh connection that breaks is a failure, as is a server that is not there', async () => {
  const { url, sockets } = await rawServer((socket) => socket.destroy())
  const sender = newSender()
  const failed = { kind: 'failed', status: -1, isFinal: false }
  expect(failure(await sender.send(event, { url }, MINUTE_MS))).toMatchObject(failed)
  expect(sockets).toHaveLength(1)
  const nowhere = await sender.send(event, { url: 'http://127.0.0.1:1/' }, MINUTE_MS)
  expect(failure(nowhere)).toEqual({ ...failed, detail: expect.stringContaining('ECONNREFUSED') })
  const wrong = await sender.send(event, { url: 'no URL' }, MINUTE_MS)
  expect(failure(wrong)).toMatchObject(failed)
})

test('an answer that does not come in time is a failure, and its connection is closed', async () => {
  const { url, sockets } = await rawServer((socket) => socket.write('HTTP/1.1 200 OK\r\n'))
  const outcome = await newSender().send(event, { url }, 20)
  expect(failure(outcome)).toEqual({
    kind: 'failed',
    status: -1,
    detail: 'no answer within 20 ms',
    isFinal: false,
  })
  await until(() => sockets[0]!.destroyed, { what: 'the connection to be closed' })
})

test('what is kept of an error is its start, and an endless answer is given up', async () => {
  const subscriber = await subscriberThat(({ path }) => ({
    status: path === '/error' ? 422 : 200,
    body: Buffer.alloc(path === '/error' ? 50_000 : ANSWER_BYTES_MAX + 1, 'x'),
  }))
  const sender = newSender()
  const refused = await sender.send(event, { url: `${subscriber.url}/error` }, MINUTE_MS)
  expect(failure(refused)).toEqual({
    kind: 'failed',
    status: 422,
    detail: 'x'.repeat(DETAIL_BYTES_MAX),
    isFinal: true,
  })
  const large = await sender.send(event, { url: `${subscriber.url}/large` }, MINUTE_MS)
  expect(failure(large)).toMatchObject({ status: -1, detail: `the answer is over ${ANSWER_BYTES_MAX} bytes` })
})

test('a reply is read whole, up to the size of an event', async () => {
  const body = Buffer.alloc(ANSWER_BYTES_MAX, 'r')
  const headers = { 'ce-specversion': '1.0', 'ce-id': 'r', 'ce-source': '/s', 'ce-type': 'reply' }
  const subscriber = await subscriberThat(() => ({ status: 200, headers, body }))
  const outcome = await newSender().send(event, { url: subscriber.url }, MINUTE_MS)
  expect(outcome).toMatchObject({ kind: 'accepted', reply: { attributes: { id: 'r' } } })
  expect((outcome as { reply: { data: Buffer } }).reply.data.equals(body)).toBe(true)
})

test('closing ends the attempts that are under way', async () => {
  const { url, sockets } = await rawServer(() => undefined)
  const sender = newSender()
  const outcome = sender.send(event, { url }, MINUTE_MS)
  await until(() => sockets.length === 1, { what: 'a connection' })
  sender.close()
  expect(failure(await outcome)).toMatchObject({ status: -1, detail: 'the Broker is stopping' })
})

test('a destination over TLS is reached too, and its connection is kept', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'attempt-'))
  undo.push(() => rmSync(folder, { recursive: true, force: true }))
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const named = ['-subj', '/CN=localhost', '-keyout', key, '-out', cert]
  execFileSync('openssl', ['req', '-x509', ...curve, ...named], { stdio: 'ignore' })
  const bodies: Buffer[] = []
  let connections = 0
  const server = https.createServer({ key: readFileSync(key), cert: readFileSync(cert) })
  server.on('secureConnection', () => connections++)
  server.on('request', (request, response) => {
    request.on('data', (chunk: Buffer) => bodies.push(chunk))
    request.on('end', () => response.writeHead(202).end())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  undo.push(() => {
    server.closeAllConnections()
    server.close()
  })
  const to = { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/` }
  // Nobody vouches for this certificate.
  expect(failure(await newSender().send(event, to, MINUTE_MS))).toMatchObject({
    status: -1,
    detail: expect.stringContaining('certificate'),
  })
  // jest's process.env is a copy, which node:tls doesn't read.
  const { child, message } = await inOtherProcess<unknown>(`
    import { EventSender } from './eventing/broker/attempt.ts'
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
    const sender = new EventSender()
    const event = { attributes: ${JSON.stringify(event.attributes)}, data: Buffer.from('data') }
    const send = () => sender.send(event, ${JSON.stringify(to)}, ${MINUTE_MS})
    const both = async () => [await send(), await send()]
    both().then((outcomes) => process.send(outcomes))
  `)
  child.kill()
  expect(message).toEqual(Array(2).fill({ kind: 'accepted', status: 202 }))
  expect(bodies.map(String)).toEqual(['data', 'data'])
  expect(connections).toBe(1)
})
