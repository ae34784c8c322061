import http from 'node:http'
import net, { type AddressInfo } from 'node:net'
import { until } from '../../tests/support/until.ts'
import { createLog } from '../../monitoring/log.ts'
import { eventHeaders } from './broker-fixture.ts'
import { createIngress } from './ingress.ts'
import { noMetrics } from './metrics.ts'
import { QueueUnavailableError } from './queue.ts'

/** What the ingress answers to requests that it refuses. There is no queue behind it. */

interface Problem {
  type: string
  title: string
  status: number
  detail: string
}

const BODY_MS = 200
let publish: () => Promise<void>
const logged: string[] = []
const log = createLog({}, 'error', (line) => logged.push(line))
let server: http.Server
let port: number

beforeAll(async () => {
  server = http.createServer(
    createIngress({ publish: () => publish(), log, metrics: noMetrics, bodyMs: BODY_MS }),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})

beforeEach(() => {
  publish = () => Promise.resolve()
})

afterAll(() => {
  server.closeAllConnections()
  server.close()
})

/** Sends the text as it is. Resolves with the status and problem of the first answer. */
async function send(text: string): Promise<{ status: number; problem: Problem }> {
  const socket = net.connect(port, '127.0.0.1', () => socket.write(text))
  let answer = ''
  socket.on('error', () => {}).on('data', (bytes) => (answer += bytes.toString()))
  const body = await until(() => /\r\n\r\n.*?(\{.*\})/s.exec(answer)?.[1], { what: 'a problem' })
  socket.destroy()
  return { status: Number(answer.split(' ')[1]), problem: JSON.parse(body) as Problem }
}

const head = (headers: Record<string, string>, line = 'POST /'): string =>
  `${line} HTTP/1.1\r\nhost: x\r\n${Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n`

const event = (attributes: Record<string, string> = {}, headers: Record<string, string> = {}): string =>
  `${head({ ...eventHeaders(attributes), 'content-type': 'application/json', 'content-length': '2', ...headers })}{}`

const structured = (body: string): string =>
  head({
    'content-type': 'application/cloudevents+json',
    'content-length': String(Buffer.byteLength(body)),
  }) + body

const chunkedHead = head({ ...eventHeaders(), 'transfer-encoding': 'chunked' })
const envelope = { specversion: '1.0', id: '1', source: '/s', type: 't' }

const refusals: [what: string, status: number, text: string, way?: () => Promise<void>][] = [
  ['GET', 405, head({}, 'GET /')],
  ['another path', 404, head({ 'content-length': '0' }, 'POST /other')],
  ['no event', 400, head({ 'content-length': '0' })],
  ['an event without an id', 400, event({ id: '' })],
  ['another version', 400, event({ specversion: '0.3' })],
  ['an invalid name', 400, event({ x_y: '1' })],
  ['an invalid time', 400, event({ time: 'noon' })],
  ['a day that does not exist', 400, event({ time: '2026-02-31T00:00:00Z' })],
  ['an invalid source', 400, event({ source: 'a b' })],
  ['an invalid schema', 400, event({ dataschema: 'no uri' })],
  ['an invalid media type', 400, event({}, { 'content-type': 'text' })],
  ['attributes that are too long', 400, event({ long: 'l'.repeat(9_000) })],
  ['broken JSON', 400, structured('{')],
  ['a list', 400, structured('[]')],
  ['an attribute that is an object', 400, structured(JSON.stringify({ ...envelope, odd: {} }))],
  ['a control character', 400, structured(JSON.stringify({ ...envelope, odd: 'a\u0001' }))],
  ['an empty subject', 400, structured(JSON.stringify({ ...envelope, subject: '' }))],
  ['data twice', 400, structured(JSON.stringify({ ...envelope, data: 1, data_base64: 'AA==' }))],
  ['no base64', 400, structured(JSON.stringify({ ...envelope, data_base64: '!' }))],
  [
    'a character outside ASCII in the media type',
    400,
    structured(JSON.stringify({ ...envelope, datacontenttype: 'text/€' })),
  ],
  ['a large body', 413, event({}, { 'content-length': String(2 ** 20 + 1) })],
  ['chunks of one byte', 413, chunkedHead + '1\r\nx\r\n'.repeat(2_000)],
  ['a slow body', 408, `${chunkedHead}1\r\nx\r\n`],
  ['a queue that is away', 503, event(), () => Promise.reject(new QueueUnavailableError('amqp://u:p@host'))],
  ['a defect', 500, event(), () => Promise.reject(new TypeError('select secret from jobs at line.ts:3'))],
]

test.each(refusals.map(([what, status, text, way]) => ({ what, status, text, way })))(
  '$what is answered $status, in plain English and without internals',
  async ({ status, text, way }) => {
    if (way) publish = way
    const { status: given, problem } = await send(text)
    expect([given, problem.status]).toEqual([status, status])
    expect(Object.keys(problem).sort()).toEqual(['detail', 'status', 'title', 'type'])
    expect(problem.type).toMatch(/^https:\/\/microbank\.dev\/problems\/[a-z-]+$/)
    expect(problem.detail).toMatch(/^[A-Z"][ -~]*\.$/)
    expect(JSON.stringify(problem)).not.toMatch(
      /undefined|null|Error|amqp|rabbit|postgres|select|ajv|pattern|\/properties|\.ts|Unexpected token|\n\s+at /i,
    )
  },
)

test('a queue that is away is one line in the log, however many events come', async () => {
  publish = () => Promise.reject(new QueueUnavailableError('RabbitMQ is away'))
  logged.length = 0
  await Promise.all(Array.from({ length: 50 }, () => send(event())))
  expect(logged.length).toBeLessThan(2)
})
