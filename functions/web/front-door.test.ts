import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import zlib from 'node:zlib'
import { catalogueOf } from '../host/catalogue.ts'
import { CLIENT_HEADER } from '../host/http/client-address.ts'
import { signingKey, startFunction, token, type TestFunction } from '../../tests/support/host.ts'
import { manifests, operations, read } from '../../tests/support/repository.ts'
import { whileClockStops } from '../../tests/support/stopped-clock.ts'
import { until } from '../../tests/support/until.ts'
import { FUNCTION_MS_MAX, STREAM_LIMITS } from './forward.ts'
import frontDoor from './front-door.ts'
import { ownRoutes } from './own-routes.ts'

/** Stands in for the gateway to the functions: records which request reached which function, or fails as
 * told. */
let gateway: Server
let behave: (request: IncomingMessage, response: ServerResponse, body: string) => void
let seen: { host: string; method: string; url: string; body: string; headers: IncomingMessage['headers'] }[] =
  []
let door: TestFunction
let startDoor: () => Promise<TestFunction>

const echo: typeof behave = (_request, response) =>
  response.writeHead(201, { 'content-type': 'application/json', 'x-own': 'kept' }).end('{"done":true}')

beforeAll(async () => {
  gateway = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      const { method = '', url = '', headers } = request
      seen.push({ host: headers.host ?? '', method, url, body, headers })
      behave(request, response, body)
    })
  })
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve))
  const LOCAL_GATEWAY = `127.0.0.1:${(gateway.address() as AddressInfo).port}`
  const catalogue = catalogueOf(await operations())
  startDoor = () => startFunction(frontDoor, { LOCAL_GATEWAY, TRUSTED_HOPS: '1' }, catalogue)
  door = await startDoor()
})

beforeEach(() => {
  seen = []
  behave = echo
})

afterAll(async () => {
  await door.stop()
  gateway.closeAllConnections()
  gateway.close()
})

test.each([
  ['/api/openapi.json', 'openapi.json'],
  ['/api/asyncapi.json', 'asyncapi.json'],
  ['/asyncapi.json?x=1', 'asyncapi.json'],
])('GET %s answers with the document, or with 304 to those who have it', async (path, file) => {
  const answer = await door.request('GET', path)
  expect(answer.status).toBe(200)
  expect(answer.body).toEqual(JSON.parse(read(`functions/web/${file}`)))
  expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8')
  expect(answer.headers.get('cache-control')).toBe('public, max-age=300')
  const etag = answer.headers.get('etag')!
  expect(etag).toMatch(/^"[\w-]{22}"$/)
  const ask = (tags: string) => door.request('GET', path, { headers: { 'if-none-match': tags } })
  expect((await ask(`"other", W/${etag}`)).status).toBe(304)
  expect(await ask('"other"')).toMatchObject({ status: 200 })
  expect((await door.request('POST', path, { body: {} })).status).toBe(405)
  expect(seen).toEqual([])
})

test('a document is read and compressed once, however often strangers ask for it', async () => {
  const compress = jest.spyOn(zlib, 'brotliCompress')
  const ask = (headers: Record<string, string> = {}, method = 'GET') =>
    fetch(`${door.url}/api/openapi.json`, { method, headers: { 'accept-encoding': 'br', ...headers } })
  for (let n = 0; n < 5; n++) {
    const answer = await ask()
    expect(await answer.json()).toMatchObject({ openapi: '3.1.0' })
    const etag = answer.headers.get('etag')!
    expect([answer.headers.get('content-encoding'), etag]).toEqual(['br', expect.stringMatching(/^W\//)])
    const { status, headers } = await ask({ 'if-none-match': etag })
    expect([status, headers.get('content-encoding'), headers.get('etag')]).toEqual([304, null, etag])
  }
  expect(compress.mock.calls.length).toBe(1)
  compress.mockRestore()
  const { headers } = await ask({ 'accept-encoding': 'identity' }, 'HEAD')
  expect(headers.get('content-length')).toBe(String(Buffer.byteLength(read('functions/web/openapi.json'))))
})

test('what the front door says that it answers by itself, it answers', async () => {
  for (const { path, who } of ownRoutes.filter(({ path }) => !path.startsWith('/health'))) {
    expect([path, (await door.request('GET', path)).status]).toEqual([path, who === 'anyone' ? 200 : 401])
    const refused = await door.request('DELETE', path)
    expect([path, refused.status, refused.headers.get('allow')]).toEqual([path, 405, 'GET, HEAD'])
  }
})

const transaction = (type: unknown) => ({ type, account_id: 'a', amount: '1.00' })

test.each([
  ['POST', '/api/auth/login', 'login', '/auth/login'],
  ['GET', '/api/accounts?limit=2&cursor=x', 'accounts', '/accounts?limit=2&cursor=x'],
  ['GET', '/api/accounts/7/balance', 'accounts', '/accounts/7/balance'],
  ['POST', '/api/accounts', 'open-account', '/accounts'],
  ['GET', '/api/transactions', 'transactions', '/transactions'],
  ['GET', '/api/transactions/7', 'transactions', '/transactions/7'],
  ['POST', '/api/transactions/batch', 'post-batch', '/transactions/batch'],
  ['DELETE', '/api/users/7', 'users', '/users/7'],
  ['POST', '/api/dead-letters/7/redrive', 'dead-letters', '/dead-letters/7/redrive'],
  ['GET', '/api/seals/consistency?from=1&to=2', 'seals', '/seals/consistency?from=1&to=2'],
  ['GET', '/api/seals/witnessed', 'witness-seals', '/seals/witnessed'],
  ['GET', '/.well-known/microbank-checkpoint', 'seals', '/.well-known/microbank-checkpoint'],
  ['GET', '/.well-known/microbank-checkpoint/7', 'seals', '/.well-known/microbank-checkpoint/7'],
])('%s %s goes to %s', async (method, path, service, url) => {
  const answer = await door.request(method, path, method === 'GET' ? {} : { body: { a: 1 } })
  expect(answer.status).toBe(201)
  expect(seen).toMatchObject([{ host: `${service}.bank.svc.cluster.local`, method, url }])
})

test.each([
  ['deposit', 'deposit'],
  ['withdrawal', 'withdraw'],
  ['transfer', 'transfer'],
])('POST /api/transactions of type %s goes to %s, body and headers untouched', async (type, service) => {
  const body = JSON.stringify(transaction(type), null, 3)
  const answer = await door.request('POST', '/api/transactions', {
    body,
    token: 'some.access.token',
    headers: { 'idempotency-key': 'k1', connection: 'close' },
  })
  expect([answer.status, answer.headers.get('x-own'), answer.body]).toEqual([201, 'kept', { done: true }])
  expect(seen).toMatchObject([
    {
      host: `${service}.bank.svc.cluster.local`,
      body,
      headers: { authorization: 'Bearer some.access.token', 'idempotency-key': 'k1' },
    },
  ])
})

test.each([['loan'], [undefined], [7], [['deposit']]])(
  'a type %j is refused, with the types it may be',
  async (type) => {
    const { status, body } = await door.request('POST', '/api/transactions', { body: transaction(type) })
    expect(status).toBe(400)
    expect(body.errors).toEqual([
      { path: '/type', message: expect.stringMatching(/deposit.*transfer.*withdrawal/) },
    ])
    expect(seen).toEqual([])
  },
)

test('a malformed, too large or compressed body gets its problem before any function is woken', async () => {
  const post = async (body: string, headers = {}) =>
    (await door.request('POST', '/api/transactions', { body, headers })).body.type.split('/').at(-1)
  expect(await post('{')).toBe('invalid-json')
  expect(await post(`{"type":"deposit","description":"${'x'.repeat(110_000)}"}`)).toBe('payload-too-large')
  expect(await post('{}', { 'content-encoding': 'gzip' })).toBe('unsupported-media-type')
  expect(seen).toEqual([])
})

test('an unknown route is 404, a wrong method 405 with those allowed', async () => {
  expect((await door.request('GET', '/api/loans')).status).toBe(404)
  expect((await door.request('GET', '/nothing')).status).toBe(404)
  expect((await door.request('GET', '/health/%zz')).status).toBe(404)
  const wrong = await door.request('DELETE', '/api/transactions')
  expect([wrong.status, wrong.headers.get('allow')?.split(', ').sort()]).toEqual([405, ['GET', 'POST']])
})

test('if a function breaks off, the answer is 502 and it is not asked again, because it may have moved money', async () => {
  behave = (_request, response) => void response.destroy()
  const answer = await door.request('POST', '/api/transactions', { body: transaction('deposit') })
  expect(answer.status).toBe(502)
  expect(answer.body.detail).toMatch(/Idempotency-Key/)
  expect(seen).toHaveLength(1)
})

test('a function that breaks off while reading is asked again', async () => {
  behave = (request, response, body) =>
    seen.length < 3 ? void response.destroy() : echo(request, response, body)
  expect((await door.request('GET', '/api/transactions')).status).toBe(201)
  expect(seen).toHaveLength(3)
})

test('if the gateway is unreachable, the answer is 503 with Retry-After, because nothing was sent', async () => {
  const alone = await startFunction(
    frontDoor,
    { LOCAL_GATEWAY: '127.0.0.1:9' },
    catalogueOf(await operations()),
  )
  const answer = await alone.request('POST', '/api/transactions', { body: transaction('deposit') })
  await alone.stop()
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1'])
})

test('the caller’s address is passed on and signed; what they claim about it is not passed on', async () => {
  const claims = { 'x-forwarded-for': '6.6.6.6, 203.0.113.9', [CLIENT_HEADER]: '6.6.6.6 sealed' }
  await door.request('GET', '/api/accounts', { headers: claims })
  const { headers } = seen[0]!
  expect(headers['x-forwarded-for']).toBe('203.0.113.9')
  expect(headers[CLIENT_HEADER]).toMatch(/^203\.0\.113\.9 [\w-]{43}$/)

  // Nor can they have the signed address removed.
  const connection = `close, ${CLIENT_HEADER.toUpperCase()}, x-forwarded-for`
  await door.request('GET', '/api/accounts', { headers: { ...claims, connection } })
  expect(seen[1]?.headers).toMatchObject({
    'x-forwarded-for': '203.0.113.9',
    [CLIENT_HEADER]: headers[CLIENT_HEADER],
  })
})

test('everybody can read the public keys, and only the public ones', async () => {
  const { status, body } = await door.request('GET', '/.well-known/jwks.json')
  expect(status).toBe(200)
  expect(body).toEqual(JSON.parse(signingKey.jwks))
  expect(JSON.stringify(body)).not.toMatch(/"d":/)
})

describe('health', () => {
  const healthy: typeof behave = (_request, response) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"status":"ok","database":"ok"}')

  test('the bank is healthy if each context is', async () => {
    behave = healthy
    const { status, body } = await door.request('GET', '/health')
    expect([status, body.status]).toEqual([200, 'ok'])
    expect(Object.keys(body.contexts)).toEqual(
      expect.arrayContaining(['identity', 'ledger', 'notifications']),
    )
  })

  test('if one context lacks its database, the answer is 503 and says which', async () => {
    behave = (request, response, body) =>
      /^accounts\./.test(request.headers.host ?? '')
        ? response.writeHead(503, { 'content-type': 'application/json' }).end('{"database":"unavailable"}')
        : healthy(request, response, body)
    // What was found counts for two seconds.
    const { body } = await until(async () => {
      const answer = await door.request('GET', '/health')
      return answer.status === 503 && answer
    })
    expect(body.contexts).toMatchObject({
      ledger: { status: 'unavailable', database: 'unavailable' },
      identity: { status: 'ok' },
    })
    expect((await door.request('GET', '/health/ledger')).status).toBe(503)
    expect((await door.request('GET', '/health/identity')).status).toBe(200)
    expect((await door.request('GET', '/health/treasury')).status).toBe(404)
  })

  test('however many ask, each function is asked once in two seconds', async () => {
    // One that knows of no health yet.
    const other = await startDoor()
    behave = healthy
    const askMany = async (): Promise<string[]> => {
      seen = []
      const answers = await Promise.all(Array.from({ length: 50 }, () => other.request('GET', '/health')))
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
      return seen.map(({ host }) => host).sort()
    }
    await whileClockStops(async (pass) => {
      const asked = await askMany()
      expect(asked.length).toBeGreaterThan(2)
      expect(asked).toEqual([...new Set(asked)])
      await pass(1_900)
      expect(await askMany()).toEqual([])
      await pass(100)
      expect(await askMany()).toEqual(asked)
    })
    await other.stop()
  })

  test('services lists every function that has an address, for operators only', async () => {
    behave = healthy
    const ask = async (role?: 'customer' | 'operator') =>
      door.request('GET', '/health/services', {
        ...(role && { token: await token({ userId: randomUUID(), role }) }),
      })
    seen = []
    expect((await ask()).status).toBe(401)
    expect((await ask('customer')).status).toBe(403)
    expect(seen).toEqual([])
    const { body } = await ask('operator')
    expect(Object.keys(body.services)).toEqual(expect.arrayContaining(['transfer', 'login', 'notifications']))
  })
})

test('readiness is for the platform: through the outer gateway it is not found', async () => {
  const outside = { 'x-forwarded-for': '203.0.113.9' }
  const inside = { ...outside, host: 'front-door.bank.svc.cluster.local' }
  expect((await door.request('GET', '/metrics', { headers: inside })).status).toBe(404)
  for (const path of ['/metrics', '/readyz']) {
    expect((await door.request('GET', path, { headers: outside })).status).toBe(404)
    if (path === '/metrics') continue
    expect((await door.request('GET', path, { headers: inside })).status).toBe(200)
    expect((await door.request('GET', path)).status).toBe(200)
  }
})

test('nor is it found through the domain, for which the gateway writes a cluster-local host', async () => {
  const mapped = await startFunction(frontDoor, { TRUSTED_HOPS: '3', TRUSTED_HOPS_MAPPED: '4' })
  const get = (path: string, forwarded: string) => {
    const headers = { host: 'front-door.bank.svc.cluster.local', 'x-forwarded-for': forwarded }
    return mapped.request('GET', path, { headers })
  }
  for (const path of ['/metrics', '/readyz']) {
    for (const stranger of ['203.0.113.9, a, b, c', '10.0.0.1, 203.0.113.9, a, b, c'])
      expect((await get(path, stranger)).status).toBe(404)
    if (path === '/readyz') expect((await mapped.request('GET', path)).status).toBe(200)
  }
  await mapped.stop()
})

test('the front door waits longer than any function may take, and the platform longer than the front door', () => {
  const HELD_SECONDS = 20
  for (const { metadata, spec } of manifests('Service')) {
    if (!spec.template) continue
    const { timeoutSeconds, responseStartTimeoutSeconds } = spec.template.spec
    const milliseconds = (responseStartTimeoutSeconds ?? timeoutSeconds) * 1000
    if (metadata.name === 'front-door') expect(milliseconds).toBeGreaterThan(FUNCTION_MS_MAX)
    else expect(milliseconds + HELD_SECONDS * 1000).toBeLessThan(FUNCTION_MS_MAX)
  }
})

test('an answer in pieces may take longer at each hop than at the one behind it, and be silent for longer', () => {
  const limitsOf = (service: string) => {
    const { spec } = manifests('Service').find(({ metadata }) => metadata.name === service)!
    const { timeoutSeconds, idleTimeoutSeconds } = spec.template.spec
    return { totalMs: timeoutSeconds * 1000, silentMs: idleTimeoutSeconds * 1000 }
  }
  const hops = [limitsOf('statement'), STREAM_LIMITS, limitsOf('front-door')]
  for (const limit of ['totalMs', 'silentMs'] as const) {
    const values = hops.map((hop) => hop[limit])
    expect(values).toEqual([...new Set(values)].sort((a, b) => a - b))
  }
})

test('a browser gets a page for whatever has no answer of its own; programs get what they got', async () => {
  const html = { accept: 'text/html,application/xhtml+xml' }
  const statuses = async (headers: Record<string, string>, paths: string[]) =>
    Promise.all(paths.map(async (path) => (await door.request('GET', path, { headers })).status))
  // The pages are not built in the folder of the sources: 503 is what the pages answer here.
  expect(await statuses(html, ['/', '/accounts/1', '/move?to=2'])).toEqual([503, 503, 503])
  expect(await statuses(html, ['/api/nothing', '/.well-known/jwks.json'])).toEqual([404, 200])
  expect(await statuses({}, ['/', '/accounts/1'])).toEqual([404, 404])
  expect((await door.request('POST', '/', { headers: html, body: {} })).status).toBe(404)
  expect(seen).toEqual([])
})
