import http from 'node:http'
import net, { type AddressInfo } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { until } from '../../../tests/support/until.ts'
import type { ProblemError } from '../problems.ts'
import { createHttpServer } from './http-server.ts'
import { openBody } from './body-stream.ts'

const BYTES_MAX = 1_000_000
let timeoutMs: number | undefined
/** Bytes after which the reader stops. */
let enough = Infinity
let outcomes: (string | number)[] = []
let server: http.Server
let port: number

beforeAll(async () => {
  server = createHttpServer({}, (request, response) => {
    void read(request).then((outcome) => {
      outcomes.push(outcome)
      response.end(String(outcome))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})
beforeEach(() => {
  timeoutMs = undefined
  enough = Infinity
  outcomes = []
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

/** Resolves with the number of bytes, or the name of the refusal. */
async function read(request: http.IncomingMessage): Promise<string | number> {
  let bytes = 0
  try {
    for await (const part of openBody(request, BYTES_MAX, () => undefined, timeoutMs).parts) {
      bytes += part.length
      if (bytes >= enough) return 'enough'
    }
    return bytes
  } catch (error) {
    return ((error as ProblemError).reply.body as { type: string }).type.split('/').pop()!
  }
}

/** Sends the text as it is, waits for the outcome, and resolves with what came back. */
async function send(text: string, { thenClose = false } = {}): Promise<string> {
  let heard = ''
  const socket = net.connect(port, '127.0.0.1', () => socket.write(text))
  socket.on('error', () => {}).on('data', (bytes: Buffer) => (heard += bytes.toString()))
  if (thenClose) socket.once('connect', () => socket.end())
  await until(() => outcomes.length > 0)
  if (!thenClose) await until(() => heard.includes('\r\n\r\n'))
  socket.destroy()
  return heard
}

const post = (headers: string, body = ''): string => `POST / HTTP/1.1\r\nhost: x\r\n${headers}\r\n${body}`
const chunked = 'transfer-encoding: chunked\r\n'
const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`

test.each<[what: string, text: string, outcome: string | number]>([
  ['with a length', post('content-length: 70000\r\n', 'a'.repeat(70_000)), 70_000],
  ['in chunks', post(chunked, chunk('a'.repeat(70_000)) + chunk('b') + '0\r\n\r\n'), 70_001],
  ['that is empty', post('content-length: 0\r\n'), 0],
  ['as large as it may be', post(`content-length: ${BYTES_MAX}\r\n`, 'a'.repeat(BYTES_MAX)), BYTES_MAX],
  ['that says it is too large', post(`content-length: ${BYTES_MAX + 1}\r\n`), 'payload-too-large'],
  ['that turns out too large', post(chunked, chunk('a'.repeat(BYTES_MAX + 1))), 'payload-too-large'],
  ['in tiny chunks', post(chunked, chunk('a').repeat(2_000)), 'payload-too-large'],
  ['that is packed', post('content-length: 9\r\ncontent-encoding: gzip\r\n'), 'unsupported-media-type'],
])('a body %s', async (_what, text, outcome) => {
  await send(text)
  expect(outcomes).toEqual([outcome])
})

test('a body that ends too early is refused', async () => {
  await send(post('content-length: 9\r\n', 'abc'), { thenClose: true })
  expect(outcomes).toEqual(['invalid-input'])
})

test('a body that does not end in time is refused, and its sender gets the answer', async () => {
  timeoutMs = 50
  expect(await send(post('content-length: 9\r\n', 'abc'))).toMatch(/^HTTP\/1.1 200 OK/)
  expect(outcomes).toEqual(['request-timeout'])
})

test('a reader that has enough can answer while more of the body comes', async () => {
  enough = 3
  expect(await send(post('content-length: 9\r\n', 'abc'))).toMatch(/\r\n\r\n[\s\S]*enough/)
})

test('a client that waits for 100 Continue gets it', async () => {
  const heard = send(post('content-length: 3\r\nexpect: 100-continue\r\n', 'abc'))
  expect(await heard).toMatch(/^HTTP\/1.1 100 Continue/)
})

test('the parts of a body take no memory once the reader is done with them', async () => {
  const bytesMax = 16 * 1024 * 1024
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const held = (): number => {
    collect()
    return process.memoryUsage().arrayBuffers
  }
  const before = held()
  // The collector gives memory back in threads of its own, which a busy machine runs late.
  const free = () =>
    until(() => held() - before < bytesMax / 4, { what: 'the memory of the parts to be free' })
  let atTheEnd: Promise<unknown> | undefined
  const reader = createHttpServer({}, (request, response) => {
    void (async () => {
      let bytes = 0
      for await (const part of openBody(request, bytesMax, () => undefined).parts) {
        bytes += part.length
        if (bytes === bytesMax) await (atTheEnd = free())
      }
      response.end()
    })()
  })
  await new Promise<void>((resolve) => reader.listen(0, '127.0.0.1', resolve))
  const socket = net.connect((reader.address() as AddressInfo).port, '127.0.0.1')
  socket.on('error', () => {}).resume()
  const piece = Buffer.alloc(64 * 1024)
  socket.write(post(`content-length: ${bytesMax}\r\n`))
  for (let sent = 0; sent < bytesMax; sent += piece.length)
    if (!socket.write(piece)) await new Promise((resolve) => socket.once('drain', resolve))
  await until(() => atTheEnd !== undefined)
  await atTheEnd
  socket.destroy()
  reader.close()
})
