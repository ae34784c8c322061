import { createServer, type Server, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { until } from '../tests/support/until.ts'
import { Upstream, type ExchangeSink, type UpstreamConnection } from './upstream.ts'

let server: Server
let sockets: Socket[]
/** What the server has received, by connection. */
let received: string[]
let answerWith: (socket: Socket, text: string) => void
let upstream: Upstream

beforeEach(async () => {
  sockets = []
  received = []
  server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('end', () => socket.end())
    const place = sockets.push(socket) - 1
    received[place] = ''
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => {
      received[place] += chunk.toString('latin1')
      answerWith(socket, chunk.toString('latin1'))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  upstream = new Upstream({ ...address(), connectionsMax: 2, idleMs: 60_000 })
})

afterEach(() => {
  upstream.destroy()
  for (const socket of sockets) socket.destroy()
  server.close()
})

const address = () => ({ host: '127.0.0.1', port: (server.address() as AddressInfo).port })

interface Told {
  status: number
  body: string
  outcome: string | undefined
  sink: ExchangeSink
  connection?: UpstreamConnection
}

const sendGet =
  (name: string) =>
  (connection: UpstreamConnection): void =>
    connection.send(`GET /${name} HTTP/1.1\r\nhost: a\r\n\r\n`, undefined, false)

function ask(name: string, from = upstream, send = sendGet(name)): Told {
  const told: Told = {
    status: 0,
    body: '',
    outcome: undefined,
    sink: {
      connected(connection) {
        told.connection = connection
        send(connection)
      },
      head: (status) => (told.status = status),
      body: (bytes) => (told.body += bytes.toString()),
      more: () => undefined,
      end: () => (told.outcome = 'end'),
      failed: (reason) => (told.outcome = reason),
    },
  }
  from.begin(told.sink)
  return told
}

const answer = (socket: Socket, text: string): void =>
  void socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${text.length}\r\n\r\n${text}`)
const nameIn = (text: string): string => /\/(\w*)/.exec(text)![1]!
const echo = (socket: Socket, text: string): void => answer(socket, nameIn(text))

test('a connection is kept and used again, and each exchange gets its own answer', async () => {
  answerWith = echo
  for (const name of ['a', 'b', 'c']) {
    const told = ask(name)
    await until(() => told.outcome)
    expect(told).toMatchObject({ status: 200, body: name, outcome: 'end' })
  }
  expect(sockets).toHaveLength(1)
})

test('exchanges above the limit wait for their turn, and those that are taken back never come', async () => {
  const waiting: [Socket, string][] = []
  answerWith = (socket, text) => void waiting.push([socket, text])
  const all = ['a', 'b', 'c', 'd'].map((name) => ask(name))
  upstream.cancel(all[2]!.sink)
  await until(() => waiting.length === 2)
  for (const [socket, text] of waiting.splice(0)) echo(socket, text)
  await until(() => waiting.length === 1)
  echo(...waiting[0]!)
  await until(() => all[3]!.outcome)
  expect(all.map(({ body }) => body)).toEqual(['a', 'b', '', 'd'])
  expect(received.join('')).not.toContain('/c')
})

test('a second answer that nobody asked for never becomes the answer of the next exchange', async () => {
  answerWith = (socket, text) => {
    const first = nameIn(text)
    socket.write(
      `HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n${first}HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil`,
    )
  }
  const waiting = ['a', 'b', 'c', 'd', 'e'].map((name) => ask(name))
  await until(() => waiting.every(({ outcome }) => outcome))
  expect(waiting.map(({ body }) => body)).toEqual(['a', 'b', 'c', 'd', 'e'])
})

test('bytes on an unused connection close it', async () => {
  answerWith = echo
  const told = ask('a')
  await until(() => told.outcome)
  answer(sockets[0]!, 'evil')
  await until(() => sockets[0]!.destroyed)
  const next = ask('b')
  await until(() => next.outcome)
  expect(next.body).toBe('b')
  expect(sockets).toHaveLength(2)
})

test('the beginning of an answer on an unused connection closes it too', async () => {
  answerWith = echo
  const told = ask('a')
  await until(() => told.outcome)
  sockets[0]!.write('HTTP/1.1 200 OK\r\ncontent-')
  await until(() => sockets[0]!.destroyed, { what: 'the end of the connection' })
})

test.each([
  ['a new connection', 0],
  ['a kept connection', 1],
])('on %s, bytes before the request are no answer to it', async (_what, used) => {
  answerWith = echo
  if (used > 0)
    await until(
      (
        (told) => () =>
          told.outcome
      )(ask('a')),
    )
  const told = ask('b', upstream, () => undefined)
  await until(() => told.connection)
  await until(() => sockets[0])
  answer(sockets[0]!, 'evil')
  await until(() => told.outcome)
  expect(told).toMatchObject({ status: 0, body: '', outcome: expect.stringMatching(/before/) })
})

test('a connection is not used again while a part of its last request has not left', async () => {
  answerWith = (socket, text) => {
    socket.pause()
    answer(socket, nameIn(text))
  }
  const body = Buffer.alloc(16 * 1024 * 1024)
  const told = ask('a', upstream, (connection) => connection.send('POST /a HTTP/1.1\r\n\r\n', body, false))
  await until(() => told.outcome)
  expect(told).toMatchObject({ body: 'a', outcome: 'end' })
  answerWith = echo
  const next = ask('b')
  await until(() => next.outcome)
  expect(next.body).toBe('b')
})

test('a server that will send nothing more has failed, even if it also reads nothing more', async () => {
  answerWith = (socket) => void socket.pause().end()
  const body = Buffer.alloc(16 * 1024 * 1024)
  const told = ask('a', upstream, (connection) => connection.send('POST /a HTTP/1.1\r\n\r\n', body, false))
  await until(() => told.outcome)
  expect(told.outcome).not.toBe('end')
})

test('destroy() fails the exchanges that wait, and opens no connection for them', async () => {
  answerWith = () => undefined
  const all = ['a', 'b', 'c', 'd'].map((name) => ask(name))
  await until(() => received.join('').includes('/a') && received.join('').includes('/b'))
  upstream.destroy()
  await until(() => all.every(({ outcome }) => outcome))
  await until(() => sockets.every(({ destroyed }) => destroyed))
  expect(sockets).toHaveLength(2)
  expect(all.map(({ connection }) => connection !== undefined)).toEqual([true, true, false, false])
})

test.each([
  ['it says so', 'connection: close\r\n'],
  ['its length is the connection’s', undefined],
])('a connection is not used again if %s', async (_why, header) => {
  answerWith = (socket, text) => {
    if (header) socket.write(`HTTP/1.1 200 OK\r\n${header}content-length: 1\r\n\r\n${nameIn(text)}`)
    else socket.end(`HTTP/1.1 200 OK\r\n\r\n${nameIn(text)}`)
  }
  for (const name of ['a', 'b']) {
    const told = ask(name)
    await until(() => told.outcome)
    expect(told).toMatchObject({ body: name, outcome: 'end' })
  }
  expect(sockets).toHaveLength(2)
})

test('a connection that breaks off before or within an answer is a failure', async () => {
  answerWith = (socket) => void socket.destroy()
  const nothing = ask('a')
  await until(() => nothing.outcome)
  answerWith = (socket) => void socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc')
  const half = ask('b')
  await until(() => half.outcome)
  expect([nothing, half].map(({ outcome }) => outcome)).not.toContain('end')
})

test('an answer that can’t be read is a failure, and its connection is closed', async () => {
  answerWith = (socket) => void socket.write('HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n')
  const told = ask('a')
  await until(() => told.outcome)
  expect(told.outcome).toMatch(/can't be read/)
  await until(() => sockets[0]!.destroyed)
})

test('a server that is not there is a failure without a connection', async () => {
  const nowhere = new Upstream({ host: '127.0.0.1', port: 9, idleMs: 1_000 })
  const told = ask('a', nowhere)
  await until(() => told.outcome)
  expect(told.outcome).toMatch(/ECONNREFUSED/)
  expect(told.connection).toBeUndefined()
})

test('an unused connection is closed after a while', async () => {
  answerWith = echo
  const brief = new Upstream({ ...address(), idleMs: 20 })
  const told = ask('a', brief)
  await until(() => told.outcome)
  await until(() => sockets[0]!.destroyed, { what: 'the end of the connection' })
})
