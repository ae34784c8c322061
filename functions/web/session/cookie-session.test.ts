import {
  cookie,
  DEMO_KEY,
  jarOf,
  PASSWORD,
  PUBLIC_URL,
  setCookies,
  startDoorway,
  type Doorway,
} from './session-fixture.ts'

let doorway: Doorway
beforeAll(async () => {
  doorway = await startDoorway()
})
beforeEach(() => {
  doorway.seen.length = 0
})
afterAll(() => doorway.stop())

const nameOf = (answer: { body: { type?: string } }): string | undefined => answer.body.type?.split('/').pop()

test('signing in sets cookies that no script can read, and answers with no token', async () => {
  const { answer } = await doorway.signIn('Ada')
  expect([answer.status, Object.keys(answer.body)]).toEqual([200, ['user_id', 'role', 'expires_in']])
  // The token lives for 900 s, some of which may be over.
  expect(answer.body).toMatchObject({ role: 'customer', expires_in: expect.any(Number) })
  expect(answer.body.expires_in).toBeLessThanOrEqual(900)
  expect(answer.body.expires_in).toBeGreaterThan(600)
  expect(answer.headers.get('cache-control')).toBe('no-store')
  expect(setCookies(answer)).toEqual([
    expect.stringMatching(
      /^mb-access-8080=[\w-]+\.[\w-]+\.[\w-]+; Path=\/; Max-Age=900; HttpOnly; SameSite=Strict$/,
    ),
    expect.stringMatching(
      /^mb-refresh-8080=[\w-]{43}; Path=\/api\/session; Max-Age=2592000; HttpOnly; SameSite=Strict$/,
    ),
  ])
})

test('over https the cookies are bound to this origin by their names', async () => {
  const { email } = await doorway.signIn('Bea')
  const answer = await doorway.request('POST', '/api/session', {
    body: { email, password: PASSWORD },
    headers: { origin: PUBLIC_URL, 'x-forwarded-proto': 'https' },
  })
  expect(setCookies(answer)).toEqual([
    expect.stringMatching(
      /^__Host-mb-access=[^;]+; Path=\/; Max-Age=900; HttpOnly; SameSite=Strict; Secure$/,
    ),
    expect.stringMatching(
      /^__Secure-mb-refresh=[^;]+; Path=\/api\/session; Max-Age=2592000; HttpOnly; SameSite=Strict; Secure$/,
    ),
  ])
  const headers = { ...cookie(jarOf(answer)), 'x-forwarded-proto': 'https' }
  expect((await doorway.request('GET', '/api/session', { headers })).status).toBe(200)
  expect((await doorway.request('GET', '/api/session', { headers: cookie(jarOf(answer)) })).status).toBe(401)
})

test('a function gets the token of the cookie as a header, and no cookie', async () => {
  const { jar } = await doorway.signIn('Cyd')
  doorway.seen.length = 0
  const headers = cookie({ theme: 'dark', ...jar })
  expect((await doorway.page('GET', '/api/accounts', { headers })).status).toBe(200)
  expect((await doorway.page('POST', '/api/accounts', { headers, body: {} })).status).toBe(200)
  expect(doorway.seen.map(({ host }) => host)).toEqual(['accounts', 'open-account'])
  for (const { headers } of doorway.seen)
    expect([headers.authorization, headers.cookie]).toEqual([`Bearer ${jar['mb-access-8080']}`, undefined])
})

test('a page that takes somebody else for signed in does nothing', async () => {
  const [mine, other] = [await doorway.signIn('Ida'), await doorway.signIn('Joe')]
  doorway.seen.length = 0
  const order = (user: string) =>
    doorway.page('POST', '/api/accounts', {
      headers: { ...cookie(mine.jar), 'session-user': user },
      body: {},
    })
  const refused = await order(other.answer.body.user_id)
  expect([refused.status, nameOf(refused), doorway.seen]).toEqual([403, 'other-user', []])
  expect((await order(mine.answer.body.user_id)).status).toBe(200)
  expect(doorway.seen.map(({ headers }) => headers['session-user'])).toEqual([undefined])
})

test('the session says who is signed in, and for how long', async () => {
  const { jar, answer } = await doorway.signIn('Dan')
  const shown = await doorway.page('GET', '/api/session', { headers: cookie(jar) })
  expect([shown.status, shown.body]).toEqual([200, { ...answer.body, expires_in: expect.any(Number) }])
  const nobody = await doorway.page('GET', '/api/session')
  expect([nobody.status, nameOf(nobody)]).toEqual([401, 'unauthenticated'])
})

test('the session is continued with new cookies', async () => {
  const { jar, answer } = await doorway.signIn('Eve')
  const renewed = await doorway.page('POST', '/api/session/refresh', { headers: cookie(jar) })
  expect([renewed.status, renewed.body]).toEqual([200, { ...answer.body, expires_in: expect.any(Number) }])
  expect(Object.keys(jarOf(renewed))).toEqual(['mb-access-8080', 'mb-refresh-8080'])
  expect(jarOf(renewed)['mb-refresh-8080']).not.toBe(jar['mb-refresh-8080'])
})

test('signing out ends the session and removes the cookies', async () => {
  const { jar } = await doorway.signIn('Fay')
  const out = await doorway.page('DELETE', '/api/session', { headers: cookie(jar) })
  expect([out.status, setCookies(out)]).toEqual([
    204,
    [
      'mb-access-8080=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict',
      'mb-refresh-8080=; Path=/api/session; Max-Age=0; HttpOnly; SameSite=Strict',
    ],
  ])
  const late = await doorway.page('POST', '/api/session/refresh', { headers: cookie(jar) })
  expect([late.status, nameOf(late), jarOf(late)]).toEqual([401, 'invalid-refresh-token', {}])
  // A second sign-out changes nothing.
  expect((await doorway.page('DELETE', '/api/session')).status).toBe(204)
})

test('a wrong password gets the refusal of login, and no cookie', async () => {
  const { email } = await doorway.signIn('Gil')
  const body = { email, password: 'wrong' }
  const refused = await doorway.page('POST', '/api/session', { body })
  expect([refused.status, nameOf(refused), setCookies(refused)]).toEqual([401, 'invalid-credentials', []])
  const half = await doorway.page('POST', '/api/session', { body: { email } })
  expect([half.status, half.body.errors]).toEqual([400, [{ path: '/password', message: 'is required' }]])
  const inner = await doorway.page('POST', '/api/session', { body: { ...body, ends_idle: false } })
  expect([inner.status, inner.body.errors]).toEqual([
    400,
    [{ path: '/ends_idle', message: 'is not known here' }],
  ])
})

test('if a function can’t be reached, the cookies stay for a next try', async () => {
  const { jar } = await doorway.signIn('Hal')
  for (const [service, method, path] of [
    ['logout', 'DELETE', '/api/session'],
    ['refresh-session', 'POST', '/api/session/refresh'],
  ] as const) {
    doorway.cutOff(service)
    const answer = await doorway.page(method, path, { headers: cookie(jar) })
    expect([path, answer.status, setCookies(answer)]).toEqual([path, 503, []])
  }
  doorway.cutOff(undefined)
  expect((await doorway.page('DELETE', '/api/session', { headers: cookie(jar) })).status).toBe(204)
})

test('an unknown path is 404 and a wrong method 405', async () => {
  expect((await doorway.page('GET', '/api/session/other')).status).toBe(404)
  const wrong = await doorway.page('PUT', '/api/session', { body: {} })
  expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST, DELETE'])
})

describe('the demo customer of a bank on a laptop', () => {
  const demo = '/api/session/demo'
  const away = { host: 'bank.example:8080', origin: 'http://bank.example:8080' }

  test('the browser gets cookies for the tokens that the runtime has got, and the runtime its secret', async () => {
    const person = { email: 'gus@example.com', password: PASSWORD }
    await doorway.page('POST', '/api/auth/register', { body: { name: 'Gus', ...person } })
    const { body: tokens } = await doorway.page('POST', '/api/auth/login', { body: person })
    doorway.seen.length = 0
    doorway.behave = (_request, response) =>
      void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(tokens))
    expect((await doorway.page('GET', demo)).body).toEqual({ available: true })
    const answer = await doorway.page('POST', demo, { headers: { 'user-agent': 'Firefox' } })
    expect([answer.status, Object.keys(answer.body)]).toEqual([200, ['user_id', 'role', 'expires_in']])
    expect(jarOf(answer)['mb-access-8080']).toBe((tokens as { access_token: string }).access_token)
    expect(doorway.seen.map(({ host, method, url, headers }) => [host, method, url, headers])).toEqual([
      [
        ...['runtime', 'POST', '/demo-customer'],
        expect.objectContaining({ authorization: `Bearer ${DEMO_KEY}`, 'user-agent': 'Firefox' }),
      ],
    ])
  })

  test('what the runtime refuses is passed on, and sets no cookie', async () => {
    doorway.behave = (_request, response) =>
      void response
        .writeHead(503, { 'content-type': 'application/problem+json' })
        .end('{"type":"https://microbank.dev/problems/unavailable","status":503}')
    const answer = await doorway.page('POST', demo)
    expect([answer.status, nameOf(answer), setCookies(answer)]).toEqual([503, 'unavailable', []])
  })

  test('under another name of this machine there is none, as a page elsewhere could give it one', async () => {
    expect((await doorway.page('GET', demo, { headers: away })).body).toEqual({ available: false })
    const answer = await doorway.page('POST', demo, { headers: away })
    expect([answer.status, nameOf(answer), doorway.seen]).toEqual([404, 'not-found', []])
  })
})
