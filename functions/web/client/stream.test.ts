import type { AddressInfo } from 'node:net'
import http from 'node:http'
import { createClient } from './client.ts'
import { BankProblem, NoAnswerError } from './problem.ts'

/** The stream of notifications, from a server that ends it, cuts it and answers in pieces. */

type Answering = (response: http.ServerResponse, lastEventId: string | undefined) => void

let server: http.Server
let answers: Answering[]
let asked: (string | undefined)[]
let url: string

beforeAll(async () => {
  server = http.createServer((request, response) => {
    const last = request.headers['last-event-id'] as string | undefined
    asked.push(last)
    answers.shift()!(response, last)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

beforeEach(() => {
  asked = []
})

afterAll(() => {
  server.closeAllConnections()
  server.close()
})

const begin = (response: http.ServerResponse) =>
  response.writeHead(200, { 'content-type': 'text/event-stream' })
const event = (id: string, message: string) =>
  `id: ${id}\nevent: notification\ndata: {"message":"${message}"}\n\n`

const END = 'event: end\ndata: {"reason":"time-over"}\n\n'

test('goes on after the last event when the stream ends or breaks, and takes events in any pieces', async () => {
  answers = [
    (response) => begin(response).end(`retry: 1\nid: @1\n\n:\n\n${event('a', 'one')}${END}`),
    (response) => {
      begin(response).write(event('b', 'zwei €').slice(0, 44))
      setImmediate(() => response.destroy())
    },
    (response) => {
      const bytes = Buffer.from(event('b', 'zwei €') + event('c', 'three'))
      begin(response)
      for (const byte of bytes) response.write(Buffer.from([byte]))
    },
  ]
  const bank = createClient({ url, token: 'x' })
  const seen: unknown[] = []
  for await (const { id, data } of bank.notifications()) {
    seen.push([id, data.message])
    if (seen.length === 3) break
  }
  expect(seen).toEqual([
    ['a', 'one'],
    ['b', 'zwei €'],
    ['c', 'three'],
  ])
  expect(asked).toEqual([undefined, 'a', 'a'])
})

test('begins after a given event, and a refusal is a problem', async () => {
  answers = [
    (response) =>
      response
        .writeHead(410, { 'content-type': 'application/problem+json' })
        .end('{"type":"https://microbank.dev/problems/stream-too-far-behind","detail":"Too far."}'),
  ]
  const next = createClient({ url, token: 'x' })
    .notifications({ lastEventId: 'z' })
    [Symbol.asyncIterator]()
    .next()
  const error = await next.catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(BankProblem)
  expect((error as BankProblem).is('stream-too-far-behind')).toBe(true)
  expect(asked).toEqual(['z'])
})

test('comes back from an event without an end, and takes nothing that is no stream', async () => {
  answers = [
    (response) => begin(response).write(`retry: 1\n\n${event('a', 'one')}data: ${'x'.repeat(1_100_000)}`),
    (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Log in</h1>'),
  ]
  const events = createClient({ url, token: 'x' }).notifications()
  expect((await events[Symbol.asyncIterator]().next()).value).toMatchObject({ id: 'a' })
  await expect(events[Symbol.asyncIterator]().next()).rejects.toThrow(NoAnswerError)
  expect(asked).toEqual([undefined, 'a'])
})

test('ends when it is aborted', async () => {
  answers = [(response) => begin(response).write(event('a', 'one'))]
  const controller = new AbortController()
  const reason = new Error('enough')
  const read = async () => {
    for await (const _ of createClient({ url, token: 'x' }).notifications({ signal: controller.signal }))
      controller.abort(reason)
  }
  await expect(read()).rejects.toBe(reason)
})
