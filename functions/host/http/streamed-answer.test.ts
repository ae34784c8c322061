import http, { type RequestListener, type Server } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { raw } from '../../../tests/support/raw.ts'
import { startFunction, type TestFunction } from '../../../tests/support/host.ts'
import { whileClockStops } from '../../../tests/support/stopped-clock.ts'
import { until } from '../../../tests/support/until.ts'
import { createLog } from '../../../monitoring/log.ts'
import { Upstream } from '../../../eventing/upstream.ts'
import { operation, route } from '../operation.ts'
import { ProblemError, problems } from '../problems.ts'
import { answerStreamed } from './streamed-answer.ts'
import { createHttpServer } from './http-server.ts'
import { requestHeaders } from './hop-by-hop.ts'
import { passOn, type PassOnOptions } from './pass-on.ts'

/** Answers whose body is made while it is sent: from the handler, over the hops, to the client. */

type Parts = () => AsyncGenerator<string | Buffer>

let parts: Parts
let made = 0
let closed = 0
let host: TestFunction

/** Counts the parts that are made, and whether the generator is closed. */
async function* counted(): AsyncGenerator<string | Buffer> {
  try {
    for await (const part of parts()) {
      made++
      yield part
    }
  } finally {
    closed++
  }
}

let ended = 0

/** Sends one event, and waits to be ended. */
function oneEvent(): AsyncIterable<string> {
  let end = (): void => undefined
  const over = new Promise<void>((resolve) => (end = resolve))
  let isFirst = true
  return {
    [Symbol.asyncIterator]: () => ({
      async next() {
        if (!isFirst) await over
        const isOver = !isFirst
        isFirst = false
        return isOver ? { done: true, value: undefined } : { done: false, value: 'data: 1\n\n' }
      },
      return() {
        ended++
        end()
        return Promise.resolve({ done: true, value: undefined })
      },
    }),
  }
}

const streaming = operation({
  name: 'streaming',
  context: 'web',
  summary: 'Streams what a test says',
  routes: [
    route({
      method: 'GET',
      path: '/parts',
      who: 'anyone',
      streams: 'document',
      summary: 'All parts',
      answers: { 200: undefined },
      handle: () =>
        Promise.resolve({
          status: 200,
          headers: { vary: 'accept' },
          stream: { mediaType: 'text/csv; charset=utf-8', parts: counted() },
        }),
    }),
    route({
      method: 'GET',
      path: '/events-of-it',
      who: 'anyone',
      streams: 'events',
      summary: 'One event, and no more until it is ended',
      answers: { 200: undefined },
      handle: () =>
        Promise.resolve({
          status: 200,
          stream: { mediaType: 'text/event-stream', parts: oneEvent(), isEvents: true },
        }),
    }),
  ],
})

beforeAll(async () => {
  host = await startFunction(streaming)
})

beforeEach(() => {
  made = closed = 0
})

afterAll(() => host?.stop())

const PART = Buffer.alloc(64 * 1024, 'x')

async function* endless(): AsyncGenerator<Buffer> {
  for (;;) yield PART
}

const get = (version = '1.1'): string => `GET /parts HTTP/${version}\r\nhost: a\r\n\r\n`

/** Sends a request and reads nothing of the answer until its socket is resumed. */
function pausedClient(port: number): Socket {
  const socket = connect(port, '127.0.0.1', () => socket.pause().write(get()))
  socket.on('error', () => undefined)
  return socket
}

/** What readAll() has received. */
let received = ''

/** Reads an answer until its connection ends. Resolves with all bytes, and how it ended. */
function readAll(port: number, text = get()): Promise<{ text: string; error: string | undefined }> {
  received = ''
  return new Promise((resolve) => {
    let error: string | undefined
    const socket = connect(port, '127.0.0.1', () => socket.write(text))
    socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')))
    socket.on('error', ({ code }: NodeJS.ErrnoException) => (error = code))
    socket.on('close', () => resolve({ text: received, error }))
  })
}

test('all parts arrive in chunks, with the headers of the reply and no length', async () => {
  const all = Array.from({ length: 5_000 }, (_, n) => `line ${n} é\r\n`)
  parts = async function* () {
    yield* all
  }
  const { status, headers, body } = await host.request('GET', '/parts')
  expect([status, body]).toEqual([200, all.join('')])
  expect(headers.get('content-type')).toBe('text/csv; charset=utf-8')
  expect([headers.get('cache-control'), headers.get('vary')]).toEqual(['no-store', 'accept'])
  expect([headers.has('content-length'), headers.get('transfer-encoding')]).toEqual([false, 'chunked'])
  expect(closed).toBe(1)
})

test('an empty stream is an empty answer, and the connection stays usable', async () => {
  parts = async function* () {}
  const { answers, isClosed } = await raw(host.port, get() + get(), { count: 2 })
  expect(answers.map(({ status, body }) => [status, body])).toEqual([
    [200, ''],
    [200, ''],
  ])
  expect(isClosed).toBe(false)
})

test('HEAD gets the headers alone, and no part is made', async () => {
  parts = endless
  const head = get().replace('GET', 'HEAD')
  const { answers } = await raw(host.port, head, { count: 1, isHead: true })
  expect(answers).toMatchObject([{ status: 200, head: expect.stringContaining('text/csv') }])
  expect(answers[0]!.head).not.toMatch(/content-length/i)
  expect(made).toBe(0)
})

test.each([
  ['a problem', new ProblemError(problems.tooManyRequests, 'Later.'), 429, 'too-many-requests'],
  ['a defect', new Error('secret'), 500, 'internal-error'],
])('%s before the first part is an answer like any other', async (_what, error, status, name) => {
  // oxlint-disable-next-line require-yield
  parts = async function* () {
    throw error
  }
  const answer = await host.request('GET', '/parts')
  expect(answer.status).toBe(status)
  expect(answer.headers.get('content-type')).toBe('application/problem+json')
  expect(answer.body.type).toBe(`https://microbank.dev/problems/${name}`)
  expect(JSON.stringify(answer.body)).not.toContain('secret')
})

describe('what fails after the first part', () => {
  beforeEach(() => {
    parts = async function* () {
      yield PART
      // libuv takes a reset that arrives together with data for an end.
      await until(() => received.includes('xxx'))
      throw new Error('the database is gone')
    }
  })

  test('breaks the answer, which has no last chunk', async () => {
    const { text } = await readAll(host.port)
    expect(text).toMatch(/^HTTP\/1\.1 200 /)
    expect(text.endsWith('0\r\n\r\n')).toBe(false)
    expect(closed).toBe(1)
  })

  test('resets the connection of a client of HTTP/1.0, for which its end would be the end of the answer', async () => {
    expect((await readAll(host.port, get('1.0'))).error).toBe('ECONNRESET')
  })
})

describe('a client that takes nothing', () => {
  test('gets no more than a few parts made for it, and the stream is closed when it leaves', async () => {
    parts = endless
    const client = pausedClient(host.port)
    let before = -1
    // The kernel's buffers fill up, and then nothing is made any more.
    await until(
      () => {
        const isStill = made > 0 && made === before
        before = made
        return isStill
      },
      { everyMs: 500 },
    )
    expect(made).toBeLessThan(1_000)
    expect(closed).toBe(0)
    client.destroy()
    await until(() => closed === 1)
  })

  test('is cut off after a while', async () => {
    parts = endless
    const lines: string[] = []
    const log = createLog({}, 'info', (line) => void lines.push(line))
    const server = createHttpServer({}, (_request, response) => {
      const stream = { mediaType: 'text/plain', parts: counted() }
      void answerStreamed(response, { status: 200, stream }, { log, traceId: 'a', drainMs: 100 })
    })
    const client = pausedClient(await listen(server))
    let isClosed = false
    client.on('close', () => (isClosed = true))
    await until(() => closed === 1)
    client.resume()
    await until(() => isClosed)
    expect(lines.join('')).toContain('the client took nothing for 0.1 s')
    server.close()
  })
})

describe('events', () => {
  const getEvents = get().replace('/parts', '/events-of-it')

  test('leave at once, and are ended as soon as the client leaves', async () => {
    ended = 0
    let text = ''
    const client = connect(host.port, '127.0.0.1', () => client.write(getEvents))
    client.on('data', (chunk) => (text += chunk.toString())).on('error', () => undefined)
    await until(() => text.includes('data: 1\n\n'))
    expect(ended).toBe(0)
    client.destroy()
    await until(() => ended > 0)
  })

  test('are ended when the process stops, as if they were complete', async () => {
    const other = await startFunction(streaming)
    const whole = readAll(other.port, getEvents.replace('host: a', 'host: a\r\nconnection: close'))
    await until(() => received.includes('data: 1'))
    await other.stop()
    expect((await whole).text).toMatch(/data: 1\n\n\r\n0\r\n\r\n$/)
  })
})

const listen = async (server: Server): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

describe('a hop', () => {
  let behind: Server
  let front: Server
  let port: number
  let behave: RequestListener
  let options: Partial<PassOnOptions>
  let outcomes: string[]

  beforeAll(async () => {
    behind = http.createServer((request, response) => behave(request, response))
    const to = new Upstream({ host: '127.0.0.1', port: await listen(behind), idleMs: 4_000 })
    front = createHttpServer({}, (request, response) => {
      void passOn(request, response, {
        ...{ to, path: '/', headers: requestHeaders(request.headers), bodyBytesMax: 0, timeoutMs: 60_000 },
        ...options,
      }).then(({ kind }) => outcomes.push(kind))
    })
    port = await listen(front)
  })

  beforeEach(() => {
    outcomes = []
    options = {}
  })

  afterAll(() => {
    for (const server of [front, behind]) {
      server.closeAllConnections()
      server.close()
    }
  })

  /** Answers with a first part. */
  const begin: RequestListener = (_request, response) => void response.writeHead(200).write('first')

  test('lets an answer take longer than it may take to begin', async () => {
    options = { timeoutMs: 200, streamLimits: { totalMs: 60_000, silentMs: 60_000, pausedMs: 60_000 } }
    let end = (): void => undefined
    behave = (request, response) => {
      begin(request, response)
      end = () => void response.end('last')
    }
    await whileClockStops(async (pass) => {
      const whole = readAll(port, get('1.0'))
      await until(() => received.includes('first'))
      await pass(500)
      end()
      expect((await whole).text).toMatch(/\r\nfirstlast$/)
    })
    await until(() => outcomes.length > 0)
    expect(outcomes).toEqual(['answered'])
  })

  test('still limits how long an answer takes to begin', async () => {
    options = { timeoutMs: 100, streamLimits: { totalMs: 60_000, silentMs: 60_000, pausedMs: 60_000 } }
    behave = () => undefined
    connect(port, '127.0.0.1')
      .on('error', () => undefined)
      .write(get())
    await until(() => outcomes.length > 0)
    expect(outcomes).toEqual(['timed-out'])
  })

  test.each([
    ['is silent', { totalMs: 60_000, silentMs: 100, pausedMs: 60_000 }],
    ['takes too long as a whole', { totalMs: 100, silentMs: 60_000, pausedMs: 60_000 }],
  ])('breaks off an answer that %s', async (_what, streamLimits) => {
    options = { streamLimits }
    behave = begin
    await whileClockStops(async (pass) => {
      const whole = readAll(port, get('1.0'))
      // libuv takes a reset that arrives together with data for an end.
      await until(() => received.includes('first'))
      await pass(100)
      const { text, error } = await whole
      expect(error).toBe('ECONNRESET')
      expect(text).not.toMatch(/upstream-timeout/)
    })
    expect(outcomes).toEqual(['timed-out'])
  })

  test('breaks off an answer that its client does not take, and closes the function’s connection', async () => {
    options = { streamLimits: { totalMs: 60_000, silentMs: 60_000, pausedMs: 100 } }
    let isFree = false
    behave = (_request, response) => {
      response.writeHead(200).write(Buffer.alloc(32 * 1024 * 1024))
      response.on('close', () => (isFree = true))
    }
    const client = pausedClient(port)
    await until(() => isFree && outcomes.length > 0)
    expect(outcomes).toEqual(['timed-out'])
    client.destroy()
  })

  test('breaks off an answer that its function breaks off, in HTTP/1.0 too', async () => {
    behave = (request, response) => {
      begin(request, response)
      void until(() => received.includes('first')).then(() => response.destroy())
    }
    expect(await readAll(port, get('1.0'))).toMatchObject({ error: 'ECONNRESET' })
    expect((await readAll(port)).text.endsWith('0\r\n\r\n')).toBe(false)
    expect(outcomes).toEqual(['broken-off', 'broken-off'])
  })
})
