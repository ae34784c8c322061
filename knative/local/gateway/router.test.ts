import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { until } from '../../../tests/support/until.ts'
import { publicHandler } from './router.ts'
import { call, server, startGateway } from './gateway-fixture.ts'

const mirror = server(`
  response.setHeader('x-list', ['a', 'b'])
  response.setHeader('set-cookie', ['one=1', 'two=2'])
  response.setHeader('connection', 'x-secret')
  response.setHeader('x-secret', 'for this connection')
  response.end(JSON.stringify({ method: request.method, url: request.url, headers: request.headers, length: body.length }))`)

const streams = `
  require('node:http').createServer((request, response) => {
    if (request.url === '/healthz') return response.end()
    if (request.url === '/echo') return request.pipe(response)
    if (request.url === '/events') {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.flushHeaders()
      request.socket.on('close', () => require('node:fs').writeFileSync(__dirname + '/client-gone', ''))
      return globalThis.reader = response
    }
    if (request.url === '/write') { reader.write('data: one\\n\\n'); return response.end() }
    if (request.url === '/half') { response.write('half'); return setTimeout(() => process.exit(1), 20) }
    if (request.url === '/early') return response.writeHead(413).end('too much')
    request.on('data', () => {})
  }).listen(process.env.PORT)`

const internal = { 'networking.knative.dev/visibility': 'cluster-local' }

let gateway: Awaited<ReturnType<typeof startGateway>>
const ingress = new Map([
  [
    'default',
    (_request: IncomingMessage, response: { end: (text: string) => unknown }) =>
      void response.end('the ingress'),
  ],
])

beforeAll(async () => {
  gateway = await startGateway(
    [
      { name: 'front-door', script: mirror },
      { name: 'mirror', script: mirror },
      { name: 'notify', script: mirror, labels: internal },
      { name: 'streams', script: streams, annotations: { window: '30s' } },
      { name: 'slow', script: streams, timeoutSeconds: 1 },
    ],
    ingress,
  )
})
afterAll(() => gateway.stop())

const open = (host: string, options = {}) => call(gateway.open.port, { headers: { host }, ...options })
const inside = (host: string, options = {}) => call(gateway.internal.port, { headers: { host }, ...options })

describe('routing', () => {
  test('a Service is reached by its host, and every other host is the front door', async () => {
    for (const host of ['mirror.microbank.localhost', 'mirror.bank.microbank.localhost', 'localhost:8080']) {
      const answer = await open(host, { path: '/a%20b?c=d' })
      expect(answer.status).toBe(200)
      expect(answer.json()).toMatchObject({ method: 'GET', url: '/a%20b?c=d', headers: { host } })
    }
    expect(gateway.service('mirror').status().coldStarts).toBe(1)
    expect(gateway.service('front-door').status().coldStarts).toBe(1)
  })

  test('a cluster-local Service is as unknown on the public port as one that does not exist', async () => {
    for (const name of ['notify', 'nothing']) {
      const answer = await open(`${name}.microbank.localhost`)
      expect(answer.status).toBe(404)
      expect(answer.headers['content-type']).toBe('application/problem+json')
      expect(answer.json()).toEqual({
        type: 'https://microbank.dev/problems/unknown-service',
        title: 'No such service',
        status: 404,
        detail: `There is no service "${name}" here.`,
      })
    }
    expect((await open('notify.bank.svc.cluster.local')).status).toBe(404)
    expect((await inside('notify.bank.svc.cluster.local')).status).toBe(200)
  })

  test('the Broker is reached on both sides, the runtime’s status only from inside', async () => {
    expect((await open('default-broker-ingress.microbank.localhost')).text).toBe('the ingress')
    expect((await inside('default-broker-ingress.bank.svc.cluster.local')).text).toBe('the ingress')
    expect((await open('other-broker-ingress.microbank.localhost')).status).toBe(404)
    expect((await inside('runtime.microbank.localhost', { path: '/status' })).json()).toEqual({ fine: true })
    expect((await open('runtime.microbank.localhost', { path: '/status' })).status).toBe(404)
  })

  test('what else the runtime tells of itself it tells inside, by path; what is not there is 404', async () => {
    gateway.routes.own = new Map([['/logs', async (query) => (query.has('a') ? { said: 'yes' } : undefined)]])
    const host = 'runtime.microbank.localhost'
    expect((await inside(host, { path: '/logs?a=1' })).json()).toEqual({ said: 'yes' })
    expect((await inside(host, { path: '/logs' })).status).toBe(404)
    expect((await open(host, { path: '/logs?a=1' })).status).toBe(404)
  })
})

describe('what only this machine or the platform may reach', () => {
  test('spans are taken inside, and those of a trace are given to loopback addresses', async () => {
    const ids = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) }
    const times = { startTimeUnixNano: '1', endTimeUnixNano: '2' }
    const spans = [{ ...ids, ...times, name: 'GET /x', kind: 2 }]
    const sent = {
      method: 'POST',
      path: '/v1/traces',
      body: JSON.stringify({ resourceSpans: [{ resource: {}, scopeSpans: [{ spans }] }] }),
    }
    const meter = 'meter.monitoring.svc.cluster.local:4318'
    expect((await open(meter, sent)).status).toBe(404)
    expect((await inside(meter, { ...sent, body: '{}' })).status).toBe(400)
    expect((await inside(meter, sent)).json()).toEqual({})
    const path = `/traces/${ids.traceId}`
    for (const answer of [
      await inside(meter, { path }),
      await open('runtime.microbank.localhost', { path }),
    ]) {
      expect(answer.status).toBe(200)
      expect(answer.json()).toMatchObject({ resourceSpans: [{ scopeSpans: [{ spans }] }] })
    }
    expect((await open(meter, { path })).status).toBe(404)
  })

  test.each(['/metrics', `/traces/${'c'.repeat(32)}`])(
    '%s of the runtime is for loopback addresses',
    async (path) => {
      const handle = publicHandler(gateway.routes)
      let from = '127.0.0.1'
      const listener = createServer((request, response) => {
        Object.defineProperty(request.socket, 'remoteAddress', { value: from })
        handle(request, response)
      })
      await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
      const { port } = listener.address() as AddressInfo
      const ask = () => call(port, { path, headers: { host: 'runtime.microbank.localhost' } })
      const statuses = []
      for (from of [
        '127.0.0.1',
        '::1',
        '::ffff:127.0.0.1',
        '192.168.1.7',
        '203.0.113.9',
        '::ffff:203.0.113.9',
      ])
        statuses.push((await ask()).status)
      listener.close()
      expect(statuses).toEqual([200, 200, 200, 404, 404, 404])
    },
  )
})

describe('headers', () => {
  const host = 'mirror.microbank.localhost'
  const claims = { 'x-forwarded-for': '6.6.6.6', 'x-forwarded-proto': 'https', forwarded: 'for=6.6.6.6' }

  test('the function learns who called, and the client’s own claims about that are ignored', async () => {
    const { headers } = (await open(host, { headers: { host, ...claims } })).json<{ headers: object }>()
    expect(headers).toMatchObject({
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': host,
      forwarded: `for=127.0.0.1;host="${host}";proto=http`,
    })
  })

  test('what one of the bank’s functions says about the first caller is kept', async () => {
    const name = 'notify.bank.svc.cluster.local'
    const answer = await inside(name, { headers: { host: name, ...claims, 'x-forwarded-host': 'localhost' } })
    expect(answer.json<{ headers: object }>().headers).toMatchObject({
      'x-forwarded-for': '6.6.6.6, 127.0.0.1',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'localhost',
    })
  })

  test('headers about a single connection are not passed on, but all others are', async () => {
    const answer = await open(host, {
      headers: {
        host,
        connection: 'keep-alive, x-hop',
        'x-hop': '1',
        te: 'trailers',
        upgrade: 'h2c',
        authorization: 'Bearer x',
      },
    })
    const { headers } = answer.json<{ headers: Record<string, string> }>()
    expect(headers).toMatchObject({ authorization: 'Bearer x' })
    for (const name of ['x-hop', 'te', 'upgrade']) expect(headers).not.toHaveProperty(name)
    expect(answer.headers).toMatchObject({ 'x-list': 'a, b', 'set-cookie': ['one=1', 'two=2'] })
    expect(answer.headers).not.toHaveProperty('x-secret')
  })
})

test('Connection can’t remove headers that say who called, or that the platform sets', async () => {
  const host = 'mirror.microbank.localhost'
  const said = { authorization: 'Bearer x', traceparent: 'a', 'content-type': 'a/b', 'idempotency-key': 'k' }
  const connection = `host, x-forwarded-for, forwarded, content-length, ${Object.keys(said).join(', ')}`
  const answer = await open(host, { method: 'POST', body: 'abc', headers: { host, ...said, connection } })
  expect(answer.json()).toMatchObject({
    length: 3,
    headers: { ...said, host, 'content-length': '3', 'x-forwarded-for': '127.0.0.1' },
  })
})

describe('bodies', () => {
  const host = 'streams.microbank.localhost'
  const begin = (path: string, headers = {}) => {
    const request = httpRequest({
      ...{ host: '127.0.0.1', port: gateway.open.port, method: 'POST', path, agent: false },
      headers: { host, ...headers },
    })
    const response = once(request, 'response').then(([answer]) => answer as IncomingMessage)
    return { request, response }
  }

  test('stream in both directions at the same time', async () => {
    const { request, response } = begin('/echo')
    request.write('one ')
    const answer = await response
    const [first] = await once(answer, 'data')
    expect(String(first)).toBe('one ')
    request.end('two')
    expect(await text(answer)).toBe('two')
  })

  test('events are passed on as they come, and the function notices when their reader leaves', async () => {
    const { request, response } = begin('/events')
    request.end()
    const answer = await response
    const event = once(answer, 'data').then(([chunk]) => String(chunk))
    await call(gateway.open.port, { headers: { host }, path: '/write' })
    expect(await event).toBe('data: one\n\n')
    answer.destroy()
    await until(() => existsSync(`${gateway.folder}/functions/client-gone`))
    await until(() => gateway.service('streams').status().inFlight === 0)
  })

  test('a request is given up if its client leaves before the answer', async () => {
    const { request, response } = begin('/never')
    request.end()
    await until(() => gateway.service('streams').status().inFlight === 1)
    request.destroy()
    await expect(response).rejects.toThrow()
    await until(() => gateway.service('streams').status().inFlight === 0)
  })

  test('no answer in time is a 504', async () => {
    const answer = await call(gateway.open.port, { headers: { host: 'slow.microbank.localhost' } })
    expect(answer.status).toBe(504)
    expect(answer.json()).toMatchObject({ type: 'https://microbank.dev/problems/upstream-timeout' })
  })

  test('an answer that breaks off in the middle does not look complete', async () => {
    await expect(call(gateway.open.port, { headers: { host }, path: '/half' })).rejects.toThrow(
      /aborted|hang up|reset/i,
    )
  })

  test('a function may refuse a body before it has arrived', async () => {
    const { request, response } = begin('/early', { 'content-length': 1_000_000 })
    request.on('error', () => {})
    request.write('the beginning')
    expect((await response).statusCode).toBe(413)
    request.destroy()
  })

  test('a body that is too large is refused, whether its length is announced or not', async () => {
    const announced = begin('/echo', { 'content-length': 33 * 1024 * 1024 })
    announced.request.on('error', () => {})
    announced.request.flushHeaders()
    expect((await announced.response).statusCode).toBe(413)
    announced.request.destroy()
    const chunked = begin('/sink', { 'transfer-encoding': 'chunked' })
    chunked.request.on('error', () => {})
    const chunk = Buffer.alloc(1024 * 1024)
    for (let i = 0; i < 34; i++) chunked.request.write(chunk)
    expect((await chunked.response).statusCode).toBe(413)
    chunked.request.destroy()
  })
})

describe('what is not HTTP', () => {
  const raw = async (sent: string) => {
    const socket = connect(gateway.open.port, '127.0.0.1')
    socket.on('error', () => {})
    socket.write(sent)
    return text(socket)
  }

  test('gets a problem, and the connection is closed', async () => {
    expect(await raw('hello\r\n\r\n')).toMatch(
      /^HTTP\/1.1 400 .*"type":"https:\/\/microbank.dev\/problems\/bad-request"/s,
    )
    const long = `GET / HTTP/1.1\r\nhost: localhost\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`
    expect(await raw(long)).toMatch(/^HTTP\/1.1 431 .*headers-too-large/s)
  })

  test('never ends the bank', async () => {
    await raw('GET http://localhost/absolute HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n')
    await raw('OPTIONS * HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n')
    await raw('GET /\xff HTTP/1.1\r\nhost: mirror.microbank.localhost\r\nconnection: close\r\n\r\n')
    expect((await open('mirror.microbank.localhost')).status).toBe(200)
  })
})
