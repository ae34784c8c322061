import http from 'node:http'
import net, { type AddressInfo } from 'node:net'
import { until } from '../../../tests/support/until.ts'
import { readJson } from './body.ts'
import type { ProblemError } from '../problems.ts'

const BYTES_MAX = 1_000
/** A body of this size may arrive in so many small chunks that it would be refused. */
const LARGE_BYTES_MAX = 100_000
let timeoutMs: number | undefined
/** The outcome of each body, in order: its value, or the name of its refusal. */
let outcomes: unknown[] = []
let server: http.Server
let port: number

beforeAll(async () => {
  server = http.createServer((request, response) => {
    const bytesMax = request.url === '/large' ? LARGE_BYTES_MAX : BYTES_MAX
    readJson(request, bytesMax, timeoutMs).then(
      (value) => {
        outcomes.push(value)
        response.end()
      },
      (error: ProblemError) => {
        const { type, detail } = error.reply.body as { type: string; detail: string }
        outcomes.push(type.split('/').pop())
        response.end(detail)
      },
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})

beforeEach(() => {
  outcomes = []
  timeoutMs = undefined
})

afterAll(() => {
  server.closeAllConnections()
  server.close()
})

/** Sends the text as it is, and waits for the outcome. */
async function send(text: string | Buffer): Promise<void> {
  const socket = net.connect(port, '127.0.0.1', () => socket.write(text))
  socket.on('error', () => {})
  await until(() => outcomes.length > 0)
  socket.destroy()
}

const post = (headers: string, body: string): string => `POST / HTTP/1.1\r\nhost: x\r\n${headers}\r\n${body}`
const json = 'content-type: application/json\r\n'
const sized = (body: string): string => post(`${json}content-length: ${Buffer.byteLength(body)}\r\n`, body)
const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`

test.each([
  ['with a length', sized('{"a":"é"}'), { a: 'é' }],
  [
    'in chunks',
    post(`${json}transfer-encoding: chunked\r\n`, `${chunk('{"a"')}${chunk(':1}')}0\r\n\r\n`),
    { a: 1 },
  ],
  ['that is a list', sized('[1]'), [1]],
  ['of no bytes', sized(''), {}],
  ['that is missing', post('', ''), {}],
  ['in UTF-8, and says so', sized('{}').replace('json\r\n', 'json; charset="UTF-8"\r\n'), {}],
  ['with another parameter', sized('{}').replace('json\r\n', 'JSON;profile=x\r\n'), {}],
  ['of exactly the largest size', sized(`["${'x'.repeat(BYTES_MAX - 4)}"]`), ['x'.repeat(BYTES_MAX - 4)]],
])('a body %s is read', async (_what, text, value) => {
  await send(text)
  expect(outcomes).toEqual([value])
})

test.each([
  ['one byte too large', sized(`["${'x'.repeat(BYTES_MAX - 3)}"]`), 'payload-too-large'],
  [
    'announced as too large, before it comes',
    post(`${json}content-length: 1001\r\n`, ''),
    'payload-too-large',
  ],
  [
    'endless',
    post(`${json}transfer-encoding: chunked\r\n`, chunk('x'.repeat(600)) + chunk('x'.repeat(600))),
    'payload-too-large',
  ],
  ['null', sized('null'), 'invalid-json'],
  [
    'in bytes that are no character',
    Buffer.from(sized('["~"]').replace('~', '\u00ff'), 'latin1'),
    'invalid-json',
  ],
  [
    'compressed',
    sized('{}').replace('content-length', 'content-encoding: br\r\ncontent-length'),
    'unsupported-media-type',
  ],
  [
    'in another charset',
    sized('{}').replace('json\r\n', 'json; charset=utf-16\r\n'),
    'unsupported-media-type',
  ],
  [
    'of a type whose name only begins like JSON',
    sized('{}').replace('json\r\n', 'json-seq\r\n'),
    'unsupported-media-type',
  ],
  ['of no type', sized('{}').replace(json, ''), 'unsupported-media-type'],
])('a body that is %s is refused', async (_what, text, refusal) => {
  await send(text)
  expect(outcomes).toEqual([refusal])
})

test('a body that breaks off is refused, even if nobody is left to read the refusal', async () => {
  const socket = net.connect(port, '127.0.0.1')
  socket.write(post(`${json}content-length: 10\r\n`, '{"a"'), () => socket.destroy())
  await until(() => outcomes.length > 0)
  expect(outcomes).toEqual(['invalid-input'])
})

const chunked = `${json}transfer-encoding: chunked\r\n`

test('a body in a few hundred chunks of one byte is read', async () => {
  const text = `["${'x'.repeat(900)}"]`
  await send(post(chunked, `${[...text].map(chunk).join('')}0\r\n\r\n`))
  expect(outcomes).toEqual([['x'.repeat(900)]])
})

test('a body in thousands of chunks of one byte is refused before it is complete', async () => {
  await send(post(chunked, chunk('x').repeat(2_000)).replace('POST /', 'POST /large'))
  expect(outcomes).toEqual(['payload-too-large'])
})

test('a large body in chunks of a usual size is read, however many there are', async () => {
  const text = `["${'x'.repeat(99_000)}"]`
  const chunks = text.match(/.{1,80}/g)!.map(chunk)
  expect(chunks.length).toBeGreaterThan(1_000)
  await send(post(chunked, `${chunks.join('')}0\r\n\r\n`).replace('POST /', 'POST /large'))
  expect(outcomes).toEqual([['x'.repeat(99_000)]])
})

test('a body that takes too long is refused while its connection is still open', async () => {
  timeoutMs = 50
  await send(post(`${json}content-length: 10\r\n`, '{"a"'))
  expect(outcomes).toEqual(['request-timeout'])
})
