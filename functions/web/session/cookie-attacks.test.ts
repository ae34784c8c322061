import { randomUUID } from 'node:crypto'
import { read } from '../../../tests/support/repository.ts'
import { signingKey, token } from '../../../tests/support/host.ts'
import { cookie, HOST, jarOf, OURS, PASSWORD, PUBLIC_URL, setCookies } from './session-fixture.ts'
import { startDoorway, type Doorway } from './session-fixture.ts'

/** What pages elsewhere, other ports and odd clients try with the cookies of a browser. */

let doorway: Doorway
let email: string
let jar: Record<string, string>
let access: string
beforeAll(async () => {
  doorway = await startDoorway()
  const signedIn = await doorway.signIn('Ada')
  email = signedIn.email
  jar = signedIn.jar
  access = jar['mb-access-8080']!
})
beforeEach(() => {
  doorway.seen.length = 0
})
afterAll(() => doorway.stop())

const nameOf = (answer: { body: { type?: string } }): string | undefined => answer.body.type?.split('/').pop()
const reached = () => doorway.seen.map(({ host }) => host)

describe('a page elsewhere gets 403 cross-site, and no function hears of it', () => {
  const foreign: [string, Record<string, string>][] = [
    ['another site', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
    ['another site, an old browser', { origin: 'https://evil.example' }],
    ['another port', { origin: 'http://localhost:5173', 'sec-fetch-site': 'same-site' }],
    ['another port, an old browser', { origin: 'http://localhost:5173' }],
    ['a sibling domain', { origin: 'http://x.localhost:8080', 'sec-fetch-site': 'same-site' }],
    ['another scheme', { origin: `https://${HOST}` }],
    ['a sandbox', { origin: 'null' }],
    ['no Origin', {}],
    ['an empty Origin', { origin: '' }],
    ['our Origin in capitals', { origin: OURS.toUpperCase() }],
    ['our Origin with a path', { origin: `${OURS}/` }],
    ['our Origin as a prefix', { origin: `${OURS}.evil.example` }],
    ['two Origins', { origin: `${OURS}, https://evil.example` }],
    ['a browser that says cross-site of our Origin', { origin: OURS, 'sec-fetch-site': 'cross-site' }],
    ['a typed address that posts', { origin: OURS, 'sec-fetch-site': 'none' }],
  ]
  test.each(foreign)('%s: whatever changes something', async (_who, from) => {
    const headers = { ...cookie(jar), ...from }
    for (const [method, path, body] of [
      ['POST', '/api/accounts', {}],
      ['PUT', '/api/limits', {}],
      ['PATCH', `/api/users/${randomUUID()}`, {}],
      ['DELETE', `/api/orders/${randomUUID()}`, undefined],
      ['POST', '/api/session', { email, password: PASSWORD }],
      ['POST', '/api/session/refresh', undefined],
      ['POST', '/api/session/demo', undefined],
      ['DELETE', '/api/session', undefined],
    ] as const) {
      const answer = await doorway.request(method, path, { headers, body })
      expect([path, answer.status, nameOf(answer)]).toEqual([path, 403, 'cross-site'])
      expect(setCookies(answer)).toEqual([])
    }
    expect(reached()).toEqual([])
  })

  test.each(['cross-site', 'same-site', 'other'])('a GET that is %s', async (site) => {
    const headers = { ...cookie(jar), 'sec-fetch-site': site }
    for (const path of ['/api/accounts', '/api/session', '/api/notifications/stream'])
      expect([path, (await doorway.request('GET', path, { headers })).status]).toEqual([path, 403])
    expect(reached()).toEqual([])
  })
})

test('cookies are looked at where the contract says so, and nowhere else', async () => {
  const declared: string[] = []
  const refused: string[] = []
  for (const { method, path, problems, ways } of contract()) {
    const headers = { ...cookie(jar), 'sec-fetch-site': 'cross-site' }
    const answer = await doorway.request(method, path.replace(/\{\w+\}/g, randomUUID()), { headers })
    if (nameOf(answer) === 'cross-site') refused.push(`${method} ${path}`)
    if (problems.includes('/problems/cross-site"')) declared.push(`${method} ${path}`)
    // Where a token is needed, a cookie is one of the ways.
    if (ways.includes('bearer'))
      expect([method, path, ways.includes('cookie')]).toEqual([method, path, nameOf(answer) === 'cross-site'])
  }
  expect(refused).toEqual(declared)
  expect(refused.length).toBeGreaterThan(100)
})

test('the reader’s own requests pass: from a page, from a typed address, from an old browser', async () => {
  const from: Record<string, string>[] = [
    { 'sec-fetch-site': 'same-origin' },
    { 'sec-fetch-site': 'none' },
    {},
  ]
  for (const headers of from)
    expect(
      (await doorway.request('GET', '/api/accounts', { headers: { ...cookie(jar), ...headers } })).status,
    ).toBe(200)
  for (const origin of [OURS, PUBLIC_URL]) {
    const headers = { ...cookie(jar), origin }
    expect((await doorway.request('POST', '/api/accounts', { headers, body: {} })).status).toBe(200)
  }
})

test('without a session nothing is asked of clients: there is nothing that a page could misuse', async () => {
  const headers = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site', cookie: 'theme=dark' }
  const body = { email, password: PASSWORD }
  expect((await doorway.request('POST', '/api/auth/login', { headers, body })).status).toBe(200)
})

test('a header Authorization wins over the cookie, and needs no Origin: no page elsewhere can set it', async () => {
  const other = await token({ userId: randomUUID() })
  const headers = { ...cookie(jar), 'sec-fetch-site': 'cross-site' }
  await doorway.request('POST', '/api/accounts', { headers, token: other, body: {} })
  await doorway.request('GET', '/api/accounts', { headers: { ...headers, authorization: 'Basic eDp5' } })
  expect(doorway.seen.map(({ headers }) => [headers.authorization, headers.cookie])).toEqual([
    [`Bearer ${other}`, undefined],
    ['Basic eDp5', undefined],
  ])
})

describe('a cookie that is none of ours is as if it was not there', () => {
  test.each([
    ['of another port', `mb-access-9090=`],
    ['of https', `__Host-mb-access=`],
    ['without a port', `mb-access=`],
    ['with a similar name', `xmb-access-8080=`],
    ['in capitals', `MB-ACCESS-8080=`],
    ['in quotes', 'mb-access-8080="', '"'],
    ['with a blank', 'mb-access-8080=a ', ''],
    ['that ends a line', 'mb-access-8080=%0d%0aX-Evil: 1', ''],
    ['with what is no letter of a token', 'mb-access-8080=é', ''],
    ['that is empty', 'mb-access-8080=;x=', ''],
    ['that is endless', `mb-access-8080=${'a'.repeat(5_000)}`, ''],
    ['twice', `mb-access-8080=${'x'.repeat(20)}; mb-access-8080=`],
  ])('%s', async (_which, before, after = '') => {
    const headers = { cookie: Buffer.from(`${before}${access}${after}`).toString('latin1') }
    expect((await doorway.page('GET', '/api/accounts', { headers })).status).toBe(200)
    expect(
      doorway.seen.map(({ headers }) => [headers.authorization, headers.cookie, headers['x-evil']]),
    ).toEqual([[undefined, undefined, undefined]])
    expect((await doorway.page('GET', '/api/session', { headers })).status).toBe(401)
  })

  test('behind a byte that is a blank in Unicode only', async () => {
    const headers = { cookie: `theme=dark; \u00a0mb-access-8080=${access}` }
    expect((await doorway.page('GET', '/api/session', { headers })).status).toBe(401)
    const tabbed = { cookie: `theme=dark;\tmb-access-8080=${access}` }
    expect((await doorway.page('GET', '/api/session', { headers: tabbed })).status).toBe(200)
  })

  test('and one among many others is found', async () => {
    const others = Object.fromEntries(
      Array.from({ length: 100 }, (_, n) => [`c${n}`, `${n}=;,"`.slice(0, 3)]),
    )
    const headers = cookie({ ...others, ...jar, __proto: 'x' })
    expect((await doorway.page('GET', '/api/session', { headers })).status).toBe(200)
  })
})

test('a token that is forged, or of another bank, is refused', async () => {
  const [head, claims] = access.split('.') as [string, string]
  for (const forged of [
    `${head}.${claims}.`,
    `${head}.${claims}.${'A'.repeat(86)}`,
    'a.b.c',
    '..',
    signingKey.jwks,
  ]) {
    const headers = cookie({ 'mb-access-8080': forged.replace(/[^\w.-]/g, '') })
    expect((await doorway.page('GET', '/api/session', { headers })).status).toBe(401)
  }
})

test('headers that are larger than a browser’s are refused', async () => {
  const headers = { cookie: `x=${'a'.repeat(20_000)}` }
  expect((await doorway.page('GET', '/api/accounts', { headers })).status).toBe(431)
})

test('a session that somebody else began is not taken over by signing in', async () => {
  const planted = (await doorway.signIn('Eve')).jar
  const body = { email, password: PASSWORD }
  const mine = jarOf(await doorway.page('POST', '/api/session', { headers: cookie(planted), body }))
  for (const name of Object.keys(planted)) expect(mine[name]).not.toBe(planted[name])
  const sid = (jwt: string) => JSON.parse(Buffer.from(jwt.split('.')[1]!, 'base64url').toString()).sid
  expect(sid(mine['mb-access-8080']!)).not.toBe(sid(planted['mb-access-8080']!))
})

test('signing in ends the session before it, once the new one has begun', async () => {
  const before = (await doorway.signIn('Cleo')).jar
  const renew = (with_: Record<string, string>) =>
    doorway.page('POST', '/api/session/refresh', { headers: cookie(with_) })
  const signIn = (password: string, with_: Record<string, string>) =>
    doorway.page('POST', '/api/session', { headers: cookie(with_), body: { email, password } })
  expect((await signIn('wrong', before)).status).toBe(401)
  const goesOn = jarOf(await renew(before))
  const after = await signIn(PASSWORD, goesOn)
  expect([after.status, (await renew(goesOn)).status]).toEqual([200, 401])
  expect((await renew(jarOf(after))).status).toBe(200)
  // If it can't be ended, signing in succeeds all the same.
  const other = (await doorway.signIn('Dora')).jar
  doorway.cutOff('logout')
  expect((await signIn(PASSWORD, other)).status).toBe(200)
  doorway.cutOff(undefined)
})

test('of two tabs that renew the session at once, both go on', async () => {
  const { jar: shared } = await doorway.signIn('Bea')
  const renew = (with_: Record<string, string>) =>
    doorway.page('POST', '/api/session/refresh', { headers: cookie(with_) })
  const tabs = await Promise.all([renew(shared), renew(shared)])
  expect(tabs.map(({ status }) => status)).toEqual([200, 200])
  // The browser has the cookies of whichever answer came last.
  expect((await renew(jarOf(tabs[1]!))).status).toBe(200)
})

test('a page elsewhere can’t read an answer with the cookie, even one that may call the bank', async () => {
  const answer = await doorway.page('GET', '/api/accounts', { headers: cookie(jar) })
  expect(answer.headers.get('access-control-allow-credentials')).toBeNull()
  expect(answer.headers.get('cross-origin-resource-policy')).toBe('same-origin')
})

test('events come piece by piece to an EventSource, which has the cookie only', async () => {
  let end = (): void => undefined
  doorway.behave = (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: 1\n\n')
    end = () => response.end('data: 2\n\n')
  }
  const answer = await fetch(`${doorway.url}/api/notifications/stream`, {
    headers: {
      cookie: Object.entries(jar)
        .map(([name, value]) => `${name.replace('8080', new URL(doorway.url).port)}=${value}`)
        .join('; '),
    },
  })
  const reader = answer.body!.getReader()
  const read = async () => Buffer.from((await reader.read()).value ?? []).toString()
  expect(await read()).toBe('data: 1\n\n')
  expect(doorway.seen[0]!.headers.authorization).toBe(`Bearer ${access}`)
  end()
  expect(await read()).toBe('data: 2\n\n')
})

interface Described {
  responses: Record<string, { $ref?: string }>
  security: object[]
}

/** The operations of the contract: the problems of status 403, and the security schemes. */
function* contract() {
  const { paths, components } = JSON.parse(read('functions/web/openapi.json')) as {
    paths: Record<string, Record<string, Described>>
    components: { responses: Record<string, object> }
  }
  for (const [path, item] of Object.entries(paths))
    for (const [method, { responses, security }] of Object.entries(item)) {
      const refusal = responses[403]
      const named = refusal?.$ref && components.responses[refusal.$ref.split('/').pop()!]
      const problems = JSON.stringify(named ?? refusal ?? {})
      yield {
        method: method.toUpperCase(),
        path,
        problems,
        ways: security.flatMap((way) => Object.keys(way)),
      }
    }
}
