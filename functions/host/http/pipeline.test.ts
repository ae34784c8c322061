import { createServer, type RequestListener, type Server } from 'node:http'
import net, { type AddressInfo, type Socket } from 'node:net'
import { whileClockStops } from '../../../tests/support/stopped-clock.ts'
import { until } from '../../../tests/support/until.ts'
import { createPipeline, readAnswer, type Pipeline } from './pipeline.ts'

const servers: (net.Server | Server)[] = []

afterEach(async () => {
  for (const server of servers.splice(0)) {
    if ('closeAllConnections' in server) server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

/** Makes a pipeline to a server, given as a request listener or as what it does with each connection. */
async function pipelineTo(server: net.Server | Server): Promise<Pipeline> {
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return createPipeline('http://broker.bank/in?a=1', { host: '127.0.0.1', port })
}

const post = (pipeline: Pipeline, body = '{}', headers: Record<string, string> = {}): Promise<number> =>
  new Promise((resolve) => pipeline.post(headers, body, resolve))

const postAll = (pipeline: Pipeline, count: number): Promise<number[]> =>
  Promise.all(Array.from({ length: count }, (_, n) => post(pipeline, String(n))))

/** Answers when the body has arrived. */
const answering =
  (answer: (body: string, ...of: Parameters<RequestListener>) => void): RequestListener =>
  (request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => answer(body, request, response))
  }

test('a request arrives complete, under its own host, on the same connection as those after it', async () => {
  const sockets = new Set<Socket>()
  const seen: unknown[] = []
  const pipeline = await pipelineTo(
    createServer(
      answering((body, { method, url, headers, socket }, response) => {
        sockets.add(socket)
        seen.push([method, url, headers.host, headers['ce-id'], body])
        response.writeHead(202).end()
      }),
    ),
  )
  for (const body of ['{"name":"Zoë €"}', '']) expect(await post(pipeline, body, { 'ce-id': 'a' })).toBe(202)
  expect(seen).toEqual([
    ['POST', '/in?a=1', 'broker.bank', 'a', '{"name":"Zoë €"}'],
    ['POST', '/in?a=1', 'broker.bank', 'a', ''],
  ])
  expect(sockets.size).toBe(1)
})

test('each request gets its own answer, whatever form the answers have', async () => {
  const pipeline = await pipelineTo(
    createServer(
      answering((body, _request, response) => {
        const n = Number(body)
        if (n % 5 === 0) response.writeHead(204).end()
        else if (n % 5 === 1) response.writeHead(503, { 'content-length': 7 }).end('go away')
        else if (n % 5 === 2) response.writeHead(500).end('in chunks, '.repeat(n))
        else if (n % 5 === 3) response.writeHead(202, { connection: 'close' }).end()
        else {
          response.writeProcessing()
          response.writeHead(400, { 'content-length': 0 }).end()
        }
      }),
    ),
  )
  const statuses = []
  for (let n = 0; n < 50; n++) statuses.push(await post(pipeline, String(n)))
  expect(statuses).toEqual(Array.from({ length: 50 }, (_, n) => [204, 503, 500, 202, 400][n % 5]))
})

test('many at once share few connections', async () => {
  const sockets = new Set<Socket>()
  const pipeline = await pipelineTo(
    createServer(
      answering((_body, { socket }, response) => {
        sockets.add(socket)
        setImmediate(() => response.writeHead(202).end())
      }),
    ),
  )
  expect(new Set(await postAll(pipeline, 2_000))).toEqual(new Set([202]))
  expect(sockets.size).toBeLessThanOrEqual(8)
})

test('a request on its way when the server closes the connection is sent again, once', async () => {
  const bodies: string[] = []
  const pipeline = await pipelineTo(
    createServer(
      answering((body, { socket }, response) => {
        bodies.push(body)
        if (body === 'last') return void socket.destroy()
        if (body === '2' && bodies.filter((each) => each === '2').length === 1) return void socket.destroy()
        response.writeHead(202).end()
      }),
    ),
  )
  expect(await postAll(pipeline, 4)).toEqual([202, 202, 202, 202])
  expect(await post(pipeline, 'last')).toBe(0)
  expect(bodies.filter((body) => body === 'last')).toHaveLength(2)
})

test('if nobody listens, the status is 0', async () => {
  const pipeline = createPipeline('http://broker.bank/', { host: '127.0.0.1', port: 1 })
  expect(await postAll(pipeline, 3)).toEqual([0, 0, 0])
})

test('an answer that is not HTTP ends its connection', async () => {
  const pipeline = await pipelineTo(
    net.createServer((socket) => {
      socket.resume()
      socket.on('error', () => undefined)
      socket.end('220 mail.example.org ESMTP\r\n\r\n')
    }),
  )
  expect(await post(pipeline)).toBe(0)
})

describe('reading what has arrived', () => {
  const whole = { status: 200, isLast: false }
  test.each([
    ['a part of the head', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n', 'incomplete'],
    ['a part of the body', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab', 'incomplete'],
    ['all of the answer', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc', { ...whole, length: 41 }],
    [
      'a part of the next answer too',
      'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP',
      { ...whole, length: 38 },
    ],
    ['a part of its chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n', 'incomplete'],
    [
      'all of its chunks',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n',
      { ...whole, length: 58 },
    ],
    ['something else', 'SSH-2.0\r\n\r\n', 'unreadable'],
    ['an endless head', 'H'.repeat(70_000), 'unreadable'],
  ] as const)('%s is understood', (_what, text, answer) => {
    expect(readAnswer(text)).toEqual(answer)
  })

  test.each([
    ['no length', 'HTTP/1.1 200 OK\r\n\r\nabc'],
    [
      'an answer that is too large',
      `HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n${'a'.repeat(70_000)}`,
    ],
    ['the last answer', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'],
  ])('%s ends the connection', (_what, text) => {
    expect(readAnswer(text)).toMatchObject({ status: 200, isLast: true })
  })
})

test('a connection to a silent server ends in time, however many more requests are sent on it', async () => {
  let isSilent = false
  const server = net.createServer((socket) => {
    socket.on('error', () => undefined)
    socket.on('data', () => !isSilent && socket.write('HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n'))
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await whileClockStops(async (pass) => {
    const pipeline = createPipeline('http://broker.bank/', { host: '127.0.0.1', port }, 500)
    expect(await post(pipeline)).toBe(202)

    isSilent = true
    const statuses: number[] = []
    let sent = 0
    // More often than the time-out, on each of its connections.
    const sendMore = (): void => {
      for (let n = 0; n < 20; n++, sent++) pipeline.post({}, '', (status) => statuses.push(status))
    }
    await until(async () => (sendMore(), await pass(20), statuses.length > 0))
    await until(async () => (await pass(20), statuses.length === sent))
    expect(new Set(statuses)).toEqual(new Set([0]))
  })
})
