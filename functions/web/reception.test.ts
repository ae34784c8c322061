import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import helmet from 'helmet'
import { read } from '../../tests/support/repository.ts'
import type { CatalogueEntry } from '../host/catalogue-entry.ts'
import { startFunction, type Answer, type TestFunction } from '../../tests/support/host.ts'
import frontDoor from './front-door.ts'
import { PAGE_POLICY } from './security-headers.ts'

/** What each request to the front door meets first, and what each answer has. */

const catalogue: CatalogueEntry[] = [
  { name: 'accounts', context: 'ledger', routes: [{ method: 'GET', path: '/accounts' }] },
  {
    name: 'notification-stream',
    context: 'notifications',
    routes: [{ method: 'GET', path: '/notifications/stream', streams: 'events' }],
  },
  { name: 'open-account', context: 'ledger', routes: [{ method: 'POST', path: '/accounts' }] },
  {
    name: 'receive-hook',
    context: 'payments',
    routes: [{ method: 'POST', path: '/providers/{provider}/hooks' }],
  },
]
const PAGE = 'https://app.example.org'

interface Contract {
  paths: Record<string, Record<string, Route>>
  components: { responses: Record<string, Headed> }
}

interface Route {
  parameters?: { in: string; name: string }[]
  responses: Record<string, Headed & { $ref?: string }>
}

interface Headed {
  headers?: object
}

let gateway: Server
let behave: (request: IncomingMessage, response: ServerResponse) => void
let door: TestFunction
/** Lets no page elsewhere in, and takes few requests. */
let strict: TestFunction

beforeAll(async () => {
  gateway = createServer((request, response) => behave(request, response))
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve))
  const LOCAL_GATEWAY = `127.0.0.1:${(gateway.address() as AddressInfo).port}`
  const env = { LOCAL_GATEWAY, TRUSTED_HOPS: '1' }
  door = await startFunction(frontDoor, { ...env, CORS_ORIGINS: `${PAGE}, http://localhost:5173` }, catalogue)
  strict = await startFunction(frontDoor, { ...env, REQUEST_RATE: '3/600', HOOK_RATE: '5/600' }, catalogue)
})

beforeEach(() => {
  behave = (_request, response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
})

afterAll(async () => {
  await Promise.all([door.stop(), strict.stop()])
  gateway.closeAllConnections()
  gateway.close()
})

const get = (path: string, headers: Record<string, string> = {}, at = door): Promise<Answer> =>
  at.request('GET', path, { headers })

/** Answers of a function, of the front door itself, of its pages, and refusals of each. */
const EVERYWHERE = ['/api/accounts', '/api/nowhere', '/.well-known/jwks.json', '/nowhere', '/health/nowhere']

describe('security headers', () => {
  /** Returns what Helmet would set. */
  const helmets = (): Promise<Record<string, string>> =>
    new Promise((resolve) => {
      const set: Record<string, string> = {}
      const response = {
        setHeader: (name: string, value: string) => void (set[name.toLowerCase()] = value),
        removeHeader: () => undefined,
      }
      helmet()({} as never, response as never, () => resolve(set))
    })

  /** Ours are stricter about content and frames. */
  const overHttps = async () => {
    const { 'content-security-policy': _policy, 'x-frame-options': _frames, ...same } = await helmets()
    return same
  }
  const overHttp = async () => {
    const { 'strict-transport-security': _https, ...same } = await overHttps()
    return same
  }

  test('are those of Helmet, over http without the one that is for https', async () => {
    for (const path of EVERYWHERE) {
      const plain = Object.fromEntries((await get(path)).headers)
      expect(plain).toMatchObject(await overHttp())
      expect(plain).not.toHaveProperty('strict-transport-security')
      for (const feature of ['camera', 'geolocation', 'microphone', 'payment', 'usb'])
        expect(plain['permissions-policy']).toContain(`${feature}=()`)
      expect(plain).not.toHaveProperty('x-powered-by')
      const https = Object.fromEntries((await get(path, { 'x-forwarded-proto': 'https' })).headers)
      expect(https).toMatchObject(await overHttps())
    }
  })

  const known = { 'if-none-match': '*' }
  const asks = { origin: PAGE, 'access-control-request-method': 'GET' }

  test.each<[string, number, string, string, Record<string, string>]>([
    ['a page that is not built yet', 503, 'GET', '/sign-in', { accept: 'text/html' }],
    ['the page of the API', 200, 'GET', '/docs', {}],
    ['a file of a page', 200, 'GET', '/docs/docs.js', {}],
    ['a page that the client has', 304, 'GET', '/docs', known],
    ['a document', 200, 'GET', '/asyncapi.json', {}],
    ['a list that the client has', 304, 'GET', '/api/accounts', known],
    ['events', 200, 'GET', '/api/notifications/stream', {}],
    ['a browser that is not signed in', 401, 'GET', '/api/session', {}],
    ['a function that breaks off', 502, 'GET', '/api/accounts?breaks', {}],
    ['a wrong method', 405, 'PUT', '/api/accounts', {}],
    ['a permission to call', 204, 'OPTIONS', '/api/accounts', asks],
  ])('are the same for %s: %d', async (_what, status, method, path, headers) => {
    behave = (request, response) => {
      if (request.url!.endsWith('breaks')) return void request.destroy()
      const type = request.url!.endsWith('stream') ? 'text/event-stream' : 'application/json'
      response.writeHead(200, { 'content-type': type }).end('{}')
    }
    const answer = await door.request(method, path, { headers })
    expect(answer.status).toBe(status)
    const given = Object.fromEntries(answer.headers)
    expect(given).toMatchObject({ ...(await overHttp()), 'x-frame-options': 'DENY' })
    expect(given['content-security-policy']).toMatch(/^default-src 'none'; .*frame-ancestors 'none'/)
  })

  test('let data do nothing, and be in no frame', async () => {
    for (const path of EVERYWHERE) {
      const { headers } = await get(path)
      expect(headers.get('content-security-policy')).toMatch(/^default-src 'none';.*frame-ancestors 'none'/)
      expect(headers.get('x-frame-options')).toBe('DENY')
    }
    expect(PAGE_POLICY).not.toMatch(/unsafe|\*|data:|http/)
    for (const directive of [
      ...["default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"],
      "require-trusted-types-for 'script'",
    ])
      expect(PAGE_POLICY.split('; ')).toContain(directive)
  })

  test('a function’s own win', async () => {
    behave = (_request, response) =>
      response.writeHead(200, { 'content-security-policy': 'sandbox' }).end('x')
    expect((await get('/api/accounts')).headers.get('content-security-policy')).toBe('sandbox')
  })
})

describe('the id of a request', () => {
  const CAME = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

  test('is the trace that came, if it is valid; the answer says it', async () => {
    let passed: string | undefined
    behave = (request, response) => {
      passed = String(request.headers.traceparent)
      response.end()
    }
    const { headers } = await get('/api/accounts', { traceparent: CAME })
    expect(headers.get('traceparent')).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01$/)
    expect(headers.get('traceparent')).toBe(passed)
  })

  test.each(['rubbish', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`, `ff${CAME.slice(2)}`])(
    'is a new one instead of %s',
    async (traceparent) => {
      for (const path of EVERYWHERE) {
        const given = (await get(path, { traceparent })).headers.get('traceparent')
        expect(given).toMatch(/^00-(?!0{32})[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/)
        expect(given).not.toContain('0af7651916cd43dd8448eb211c80319c')
      }
    },
  )
})

describe('pages elsewhere', () => {
  const preflight = (headers: Record<string, string>, path = '/api/accounts', at = door) =>
    at.request('OPTIONS', path, { headers: { 'access-control-request-method': 'POST', ...headers } })

  test('may read answers if their origin is allowed, refusals too', async () => {
    for (const path of EVERYWHERE) {
      const { headers } = await get(path, { origin: PAGE })
      expect(headers.get('access-control-allow-origin')).toBe(PAGE)
      expect(headers.get('access-control-expose-headers')).toMatch(
        /Location, Retry-After, RateLimit, .*traceparent/,
      )
      expect(headers.get('vary')).toMatch(/^Origin\b/)
      expect(headers.get('access-control-allow-credentials')).toBeNull()
    }
  })

  test('may ask before they call', async () => {
    const { status, headers } = await preflight({
      origin: PAGE,
      'access-control-request-headers': 'authorization',
    })
    expect([status, headers.get('access-control-allow-origin')]).toEqual([204, PAGE])
    expect(headers.get('access-control-allow-methods')?.split(', ').sort()).toEqual(['GET', 'POST'])
    expect(headers.get('access-control-allow-headers')).toMatch(/Authorization, .*Idempotency-Key/)
    expect(headers.get('vary')).toBe('Origin, Access-Control-Request-Method, Access-Control-Request-Headers')
    expect((await preflight({ origin: PAGE }, '/api/nowhere')).status).toBe(404)
  })

  test('may call what the front door answers itself, too', async () => {
    const asked = { origin: PAGE, 'access-control-request-method': 'GET' }
    for (const path of [
      '/api/openapi.json',
      '/asyncapi.json',
      '/.well-known/jwks.json',
      '/health/services',
    ]) {
      const { status, headers } = await preflight(asked, path)
      expect([path, status, headers.get('access-control-allow-methods')]).toEqual([path, 204, 'GET, HEAD'])
      expect((await preflight({ ...asked, origin: 'https://evil.example' }, path)).status).toBe(405)
    }
    // It is for browsers on pages of the bank.
    expect((await preflight(asked, '/api/session')).status).not.toBe(204)
  })

  test('may send each header that the contract takes, and read each that it gives', async () => {
    const { paths, components } = JSON.parse(read('functions/web/openapi.json')) as Contract
    const all = Object.values(paths).flatMap((item) => Object.values(item))
    const sent = all.flatMap(({ parameters = [] }) =>
      parameters.flatMap((one) => (one.in === 'header' ? [one.name] : [])),
    )
    const given = all
      .flatMap(({ responses }) => Object.values(responses))
      .flatMap(({ $ref, headers }) => {
        const named = $ref && components.responses[$ref.split('/').at(-1)!]
        return Object.keys((named || { headers }).headers ?? {})
      })
    const { headers } = await preflight({ origin: PAGE })
    const namesIn = (name: string) => headers.get(`access-control-${name}-headers`)!.toLowerCase().split(', ')
    const lower = (names: string[]) => [...new Set(names.map((name) => name.toLowerCase()))]
    expect(lower(sent).length).toBeGreaterThan(3)
    expect(namesIn('allow')).toEqual(expect.arrayContaining(lower(sent)))
    expect(lower(given).length).toBeGreaterThan(7)
    expect(namesIn('expose')).toEqual(expect.arrayContaining(lower(given)))
  })

  test.each([
    'null',
    'https://app.example.org.evil.example',
    'https://evil-app.example.org',
    'https://app.example.org:444',
    'http://app.example.org',
    'https://APP.example.org',
    'HTTPS://app.example.org',
    'https://app.example.org/',
    'https://app.example.org, https://evil.example',
    '*',
    '',
  ])('may not if their origin is %j', async (origin) => {
    const answered = await get('/api/accounts', { origin })
    expect(answered.headers.get('access-control-allow-origin')).toBeNull()
    expect(answered.headers.get('vary')).toBe('Origin')
    const asked = await preflight({ origin })
    expect([asked.status, asked.headers.get('access-control-allow-origin')]).toEqual([405, null])
  })

  test('may not at all if nothing is configured', async () => {
    const { headers } = await get('/api/accounts', { origin: PAGE }, strict)
    expect([headers.get('access-control-allow-origin'), headers.get('vary')]).toEqual([null, null])
    expect((await preflight({ origin: PAGE }, '/api/accounts', strict)).status).toBe(405)
  })

  test('leave what a function says of its variants', async () => {
    behave = (_request, response) => response.writeHead(200, { vary: 'accept' }).end()
    expect((await get('/api/accounts', { origin: PAGE })).headers.get('vary')).toBe('Origin, accept')
  })

  test.each([
    '*',
    'app.example.org',
    'https://app.example.org/',
    'https://App.example.org',
    'https://a.b:443',
    'null',
  ])('are not configured as %s', async (origins) => {
    await expect(startFunction(frontDoor, { CORS_ORIGINS: origins })).rejects.toThrow(/CORS_ORIGINS/)
  })
})

describe('too many requests', () => {
  const from = (address: string, path = '/api/accounts') => get(path, { 'x-forwarded-for': address }, strict)

  test('from one address are refused, before any function is woken; the answers say how many may come', async () => {
    let woken = 0
    behave = (_request, response) => {
      woken++
      response.writeHead(200, { ratelimit: '"statements";r=7;t=9' }).end()
    }
    for (const left of [2, 1, 0]) {
      const { status, headers } = await from('203.0.113.7')
      expect([status, headers.get('ratelimit-policy')]).toEqual([200, '"requests";q=3;w=600'])
      expect(headers.get('ratelimit')).toMatch(
        new RegExp(`^"requests";r=${left};t=\\d+, "statements";r=7;t=9$`),
      )
    }
    for (const path of EVERYWHERE) {
      const { status, headers, body } = await from('203.0.113.7', path)
      expect([status, body.type]).toEqual([429, 'https://microbank.dev/problems/too-many-requests'])
      expect(headers.get('ratelimit')).toMatch(/^"requests";r=0;t=\d+$/)
      expect(headers.get('retry-after')).toBe(/t=(\d+)/.exec(headers.get('ratelimit')!)![1])
      expect(headers.get('x-content-type-options')).toBe('nosniff')
    }
    expect(woken).toBe(3)
  })

  test('from a browser that asks for a page are refused with one, which comes back by itself', async () => {
    const page = () => get('/move', { 'x-forwarded-for': '203.0.113.12', accept: 'text/html' }, strict)
    for (let n = 0; n < 3; n++) await page()
    const { status, headers, body } = await page()
    expect([status, headers.get('content-type')]).toEqual([429, 'text/html; charset=utf-8'])
    expect(body).toContain('<h1>Too many requests</h1>')
    expect(headers.get('refresh')).toBe(headers.get('retry-after'))
    // Java's programs ask for HTML unless they are told otherwise.
    const java = { 'x-forwarded-for': '203.0.113.12', accept: 'text/html, image/gif, image/jpeg, */*; q=.2' }
    const refused = await get('/api/accounts', java, strict)
    expect([refused.status, refused.body.type]).toEqual([
      429,
      'https://microbank.dev/problems/too-many-requests',
    ])
  })

  test('are counted by the address that the platform saw, not by what the client says', async () => {
    const statuses: number[] = []
    for (let n = 0; n < 4; n++) statuses.push((await from(`198.51.100.${n}, 203.0.113.8`)).status)
    expect(statuses).toEqual([200, 200, 200, 429])
    expect((await from('203.0.113.8, 203.0.113.9')).status).toBe(200)
  })

  test('do not keep the web hooks of providers out, which have a wider quota, nor does that let others in', async () => {
    const headers = { 'x-forwarded-for': '203.0.113.10' }
    const post = async (path: string) => (await strict.request('POST', path, { headers, body: {} })).status
    const statuses: number[] = []
    for (let n = 0; n < 4; n++) statuses.push((await from('203.0.113.10')).status)
    for (let n = 0; n < 6; n++) statuses.push(await post('/api/providers/sandbox/hooks'))
    expect(statuses).toEqual([200, 200, 200, 429, 200, 200, 200, 200, 200, 429])
    for (const path of [
      '/api/accounts?/api/providers/x/hooks',
      '/api/providers/x/y/hooks',
      '/api/providers/x/hooks/',
    ])
      expect([path, await post(path)]).toEqual([path, 429])
  })

  test('from an address that many may share are not counted', async () => {
    for (let n = 0; n < 5; n++) {
      const { status, headers } = await from('10.0.0.1')
      expect([status, headers.get('ratelimit')]).toEqual([200, null])
    }
  })
})
