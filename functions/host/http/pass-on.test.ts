import http, { type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { raw } from '../../../tests/support/raw.ts'
import { until } from '../../../tests/support/until.ts'
import { answer } from './answer.ts'
import { createHttpServer } from './http-server.ts'
import { requestHeaders } from './hop-by-hop.ts'
import { refusalOf, type Outcome } from './outcome.ts'
import { passOn } from './pass-on.ts'
import { Upstream, UpstreamConnection } from '../../../eventing/upstream.ts'

let front: Server
let behind: Server
let behave: RequestListener
let outcomes: Outcome['kind'][] = []
let received: { headers: IncomingMessage['headers']; body: string }[] = []
let open = 0
let timeoutMs: number
let bodyTimeoutMs: number
let upstream: Upstream
/** Called for each request at the front, before it is passed on. */
let onFront: RequestListener

const listen = async (server: Server): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

const echo: RequestListener = (request, response) => {
  let body = ''
  request.on('data', (chunk: Buffer) => (body += chunk.toString()))
  request.on('end', () => {
    received.push({ headers: request.headers, body })
    response.end(body)
  })
}

let port: number

beforeAll(async () => {
  behind = http.createServer((request, response) => behave(request, response))
  behind.on('connection', (socket) => {
    open++
    socket.on('close', () => open--)
  })
  upstream = new Upstream({
    host: '127.0.0.1',
    port: await listen(behind),
    connectionsMax: 1,
    idleMs: 4_000,
  })
  front = createHttpServer({}, (request, response) => {
    onFront(request, response)
    void passOn(request, response, {
      ...{ to: upstream, path: request.url ?? '/' },
      headers: requestHeaders(request.headers),
      timeoutMs,
      bodyTimeoutMs,
      bodyBytesMax: 1_000,
    }).then((outcome) => {
      outcomes.push(outcome.kind)
      if (outcome.kind === 'answered' || outcome.kind === 'client-gone' || outcome.kind === 'broken-off')
        return
      answer(response, refusalOf(outcome, 'accounts'))
    })
  })
  port = await listen(front)
})

beforeEach(() => {
  behave = echo
  onFront = () => undefined
  outcomes = []
  received = []
  timeoutMs = 90_000
  bodyTimeoutMs = 90_000
})

afterAll(() => {
  for (const server of [front, behind]) {
    server.closeAllConnections()
    server.close()
  }
})

const head = (method: string, headers: string): string => `${method} / HTTP/1.1\r\nhost: a\r\n${headers}\r\n`

test.each([
  ['POST', 'content-length: 3\r\n', 'abc', { 'content-length': '3' }],
  ['DELETE', 'content-length: 3\r\n', 'abc', { 'content-length': '3' }],
  ['POST', 'transfer-encoding: chunked\r\n', '3\r\nabc\r\n0\r\n\r\n', { 'content-length': '3' }],
  ['DELETE', 'transfer-encoding: chunked\r\n', '3\r\nabc\r\n0\r\n\r\n', { 'content-length': '3' }],
  ['PATCH', 'connection: content-length\r\ncontent-length: 3\r\n', 'abc', { 'content-length': '3' }],
])('%s with %j: a body that has arrived is sent with its length', async (method, headers, body, framing) => {
  const { answers } = await raw(port, head(method, headers) + body, { count: 1 })
  expect(answers).toMatchObject([{ status: 200, body: 'abc' }])
  expect(received).toMatchObject([{ body: 'abc', headers: framing }])
  expect(received[0]!.headers).not.toHaveProperty('transfer-encoding')
})

test('a body that came together with its head leaves in one write with it', async () => {
  const [whole, inPieces] = (['send', 'write'] as const).map((way) =>
    jest.spyOn(UpstreamConnection.prototype, way),
  )
  try {
    // The second one meets a connection that is open, so it is sent before its body has been reported.
    for (const _ of Array(2)) await raw(port, `${head('POST', 'content-length: 3\r\n')}abc`, { count: 1 })
    expect(received.map(({ body }) => body)).toEqual(['abc', 'abc'])
    expect([whole!.mock.calls.length, inPieces!.mock.calls.length]).toEqual([2, 0])
  } finally {
    whole!.mockRestore()
    inPieces!.mockRestore()
  }
})

test.each(['POST', 'DELETE', 'OPTIONS'])(
  '%s: a body that is still arriving is sent in chunks of our own',
  async (method) => {
    const socket = connect(port, '127.0.0.1', () =>
      socket.write(`${head(method, 'transfer-encoding: chunked\r\n')}1\r\na\r\n`),
    )
    let isConnected = false
    behave = (request, response) => {
      isConnected = true
      echo(request, response)
    }
    await until(() => isConnected)
    socket.write('2\r\nbc\r\n0\r\n\r\n')
    await until(() => received.length > 0)
    socket.destroy()
    expect(received).toMatchObject([{ body: 'abc', headers: { 'transfer-encoding': 'chunked' } }])
  },
)

test('if the answer ends before the body, the function’s connection is free at once and the client’s is closed', async () => {
  behave = (_request, response) => response.writeHead(401, { 'content-length': 2 }).end('no')
  const text = `${head('POST', 'content-length: 500\r\n')}the beginning`
  const { answers, isClosed } = await raw(port, text)
  expect(answers).toMatchObject([
    { status: 401, body: 'no', head: expect.stringMatching(/connection: close/i) },
  ])
  expect(isClosed).toBe(true)
  await until(() => open === 0)
  behave = echo
  expect((await raw(port, head('GET', ''), { count: 1 })).answers).toMatchObject([{ status: 200 }])
})

test('what follows such a request on its connection is not read', async () => {
  let seen = 0
  behave = (request, response) => {
    seen++
    if (request.url === '/') response.writeHead(401, { 'content-length': 2 }).end('no')
    else response.end('second')
  }
  let answers = ''
  const socket = connect(port, '127.0.0.1', () => socket.write(`${head('POST', 'content-length: 3\r\n')}a`))
  socket.on('data', (chunk) => (answers += chunk.toString()))
  let isClosed = false
  socket.on('close', () => (isClosed = true))
  socket.on('error', () => undefined)
  await until(() => answers.includes('no'))
  socket.write('bcGET /second HTTP/1.1\r\nhost: a\r\n\r\n')
  await until(() => isClosed)
  expect(answers).not.toMatch(/second/)
  expect(seen).toBe(1)
})

test.each([
  ['in chunks', 'transfer-encoding: chunked\r\n', '1\r\nx\r\n'],
  ['with a length', 'content-length: 900\r\n', 'x'],
])(
  'a body that trickles in %s ends with 408, and then holds no connection',
  async (_what, headers, piece) => {
    bodyTimeoutMs = 300
    const { answers, isClosed } = await raw(port, head('POST', headers) + piece)
    expect(answers).toMatchObject([{ status: 408 }])
    expect(answers[0]!.body).toMatch(/request-timeout/)
    expect(isClosed).toBe(true)
    await until(() => open === 0)
  },
)

test('a function that takes too long is 504, and the answer says which', async () => {
  timeoutMs = 200
  behave = () => undefined
  const { answers } = await raw(port, head('GET', ''), { count: 1 })
  expect(answers).toMatchObject([
    { status: 504, body: expect.stringMatching(/accounts did not answer in time/) },
  ])
})

test('a body above the limit is 413', async () => {
  const { answers } = await raw(
    port,
    `${head('POST', 'transfer-encoding: chunked\r\n')}7d0\r\n${'x'.repeat(2_000)}\r\n0\r\n\r\n`,
  )
  expect(answers).toMatchObject([{ status: 413 }])
})

test.each([
  ['bytes beyond ASCII', 'GET /\xff HTTP/1.1\r\nhost: a\r\nx: \xe9\r\n\r\n'],
  ['a folded header', 'GET / HTTP/1.1\r\nhost: a\r\nx: a\r\n b: c\r\n\r\n'],
])('%s arrive as they were or are refused, and the process goes on', async (_what, text) => {
  const { answers } = await raw(port, text, { count: 1 })
  expect([200, 400]).toContain(answers[0]?.status)
  for (const { headers } of received) expect(headers).not.toHaveProperty('b')
  expect((await raw(port, head('GET', ''), { count: 1 })).answers).toMatchObject([{ status: 200 }])
})

test('a request without a body that could have one says so', async () => {
  await raw(port, head('POST', ''), { count: 1 })
  await raw(port, head('GET', ''), { count: 1 })
  expect(received.map(({ headers }) => headers['content-length'])).toEqual(['0', undefined])
})

/** Makes the client take nothing any more, so that an answer stays open after its end. */
const stall = ({ socket }: Parameters<RequestListener>[1]): void =>
  void Object.assign(socket!, { _write: () => undefined, _writev: () => undefined })

test('an answer that the server has ended itself gets no second head', async () => {
  onFront = (_request, response) => {
    stall(response)
    response.writeHead(400).end('no')
  }
  const socket = connect(port, '127.0.0.1', () => socket.write(head('GET', '')))
  await until(() => outcomes.length > 0)
  expect(outcomes).toEqual(['client-gone'])
  socket.destroy()
})

test('an event stream that has been ended gets no more events, even if its client reads slowly', async () => {
  let stream: Parameters<RequestListener>[1] | undefined
  let send: (text: string) => void = () => undefined
  onFront = (_request, response) => void (stream = response)
  behave = (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
    send = (text) => void response.write(text)
  }
  const socket = connect(port, '127.0.0.1', () => socket.write(head('GET', '')))
  await until(() => stream?.headersSent)
  stall(stream!)
  stream!.end()
  send('data: a\n\n')
  await until(() => outcomes.length > 0)
  expect(outcomes).toEqual(['client-gone'])
  socket.destroy()
})

test('of a client that leaves, the requests that wait for an answer before theirs end too', async () => {
  let seen = 0
  behave = () => undefined
  onFront = () => void seen++
  const socket = connect(port, '127.0.0.1', () => socket.write(head('GET', '').repeat(3)))
  await until(() => seen === 3)
  socket.destroy()
  await until(() => outcomes.length === 3, { what: 'the end of all three' })
  expect(outcomes).toEqual(['client-gone', 'client-gone', 'client-gone'])
  await until(() => open === 0)
})

describe('a client that takes nothing for a while', () => {
  let timeouts = 0
  const count = (): void => void timeouts++
  beforeEach(() => {
    timeouts = 0
    // Not before a request is there: on a slow machine the connection could be closed before it comes.
    onFront = ({ socket }) => void socket.setTimeout(100)
    front.on('timeout', count)
  })
  afterEach(() => {
    front.keepAliveTimeout = 5_000
    front.off('timeout', count)
  })

  test('is closed if a part of its answer waits', async () => {
    behave = (_request, response) => response.end(Buffer.alloc(64 * 1024 * 1024))
    const socket = connect(port, '127.0.0.1', () => socket.pause().write(head('GET', '')))
    await until(() => outcomes.length > 0)
    expect(outcomes).toEqual(['client-gone'])
    await until(() => open === 0)
    socket.destroy()
  })

  test('is not closed if there is nothing to take', async () => {
    let send: () => void = () => undefined
    behave = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
      send = () => void response.write('data: a\n\n')
    }
    let got = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(head('GET', '')))
    socket.on('data', (chunk) => (got += chunk.toString()))
    await until(() => got.includes('text/event-stream'))
    timeouts = 0
    await until(() => timeouts > 0)
    send()
    await until(() => got.includes('data: a'))
    socket.destroy()
    await until(() => open === 0)
  })

  test('is closed after its last answer, as ever', async () => {
    front.keepAliveTimeout = 50
    const { answers, isClosed } = await raw(port, head('GET', ''))
    expect([answers.length, isClosed]).toEqual([1, true])
  })
})
