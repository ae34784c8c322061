import { randomUUID } from 'node:crypto'
import { token } from '../../tests/support/host.ts'
import { operatorToken, PASSWORD, problemOf, startIdentity, type Identity } from './identity-fixture.ts'
import login from './login.ts'
import refreshSession from './refresh-session.ts'
import register from './register.ts'
import users from './users.ts'

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'

let identity: Identity
beforeAll(async () => {
  identity = await startIdentity([register, login, refreshSession, users])
})
afterAll(() => identity.stop())

interface Tokens {
  access: string
  refresh: string
}

/** Registers a customer, and signs them in as often as asked. */
async function signIn(name: string, times = 1): Promise<{ id: string; email: string; sessions: Tokens[] }> {
  const { id, email } = await identity.register(name)
  const sessions: Tokens[] = []
  for (let n = 0; n < times; n++) {
    const { body } = await identity.login(email, PASSWORD, { 'user-agent': FIREFOX })
    sessions.push({ access: body.access_token, refresh: body.refresh_token })
  }
  return { id, email, sessions }
}

const list = async (token: string, query = '') => identity.request('GET', `/sessions${query}`, { token })
const end = (token: string, path: string) => identity.request('DELETE', `/sessions${path}`, { token })
const isOpen = async ({ refresh }: Tokens): Promise<boolean> =>
  (await identity.request('POST', '/auth/refresh', { body: { refresh_token: refresh } })).status === 200

test('users see where they are signed in: the program, the times, and no address', async () => {
  const { sessions } = await signIn('Ada', 2)
  const { status, body } = await list(sessions[1]!.access)
  const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT/)
  const session = {
    ...{ id: expect.any(String), browser: 'Firefox', system: 'Linux' },
    ...{ started_at: time, continued_at: time, expires_at: time },
  }
  expect([status, body]).toEqual([
    200,
    {
      items: [
        { ...session, is_current: true },
        { ...session, is_current: false },
      ],
      next_cursor: null,
    },
  ])
})

test('a page at a time', async () => {
  const { sessions } = await signIn('Bea', 3)
  const first = (await list(sessions[0]!.access, '?limit=2')).body
  const second = (await list(sessions[0]!.access, `?limit=2&cursor=${first.next_cursor}`)).body
  expect([first.items.length, second.items.length, second.next_cursor]).toEqual([2, 1, null])
  expect(second.items[0].is_current).toBe(true)
})

test('one session is ended, and a second time changes nothing', async () => {
  const { id, sessions } = await signIn('Cyd', 2)
  const [kept, ended] = sessions as [Tokens, Tokens]
  const other = (await list(kept.access)).body.items.find((each: { is_current: boolean }) => !each.is_current)
  expect((await end(kept.access, `/${other.id}`)).status).toBe(204)
  expect((await end(kept.access, `/${other.id}`)).status).toBe(204)
  expect([await isOpen(kept), await isOpen(ended)]).toEqual([true, false])
  expect((await list(kept.access)).body.items).toHaveLength(1)
  const entries = await identity.owner.query({
    text: `select caller_id, owner_id, outcome from audit where subject = $1 and route = 'DELETE /sessions/{id}'`,
    values: [other.id],
  })
  expect(entries).toEqual([{ caller_id: id, owner_id: id, outcome: 'session-ended' }])
})

test('all other sessions are ended, and only those', async () => {
  const { sessions } = await signIn('Dan', 3)
  const stranger = await signIn('Dora')
  const mine = sessions[1]!
  expect((await end(mine.access, '?others=true')).status).toBe(204)
  expect(await Promise.all(sessions.map(isOpen))).toEqual([false, true, false])
  expect(await isOpen(stranger.sessions[0]!)).toBe(true)
})

test('to end all, the query must say that the own session stays', async () => {
  const { sessions } = await signIn('Eve')
  for (const query of ['', '?others=false', '?others=yes', '?all=true'])
    expect([query, problemOf(await end(sessions[0]!.access, query))]).toEqual([query, 'invalid-input'])
  expect(await isOpen(sessions[0]!)).toBe(true)
})

test('another’s session is not there; an operator sees and ends it', async () => {
  const ada = await signIn('Fay')
  const eve = await signIn('Gil')
  const { id } = (await list(ada.sessions[0]!.access)).body.items[0]
  expect((await end(eve.sessions[0]!.access, `/${id}`)).status).toBe(404)
  expect((await list(eve.sessions[0]!.access, `?user_id=${ada.id}`)).status).toBe(404)
  expect((await end(eve.sessions[0]!.access, `/${randomUUID()}`)).status).toBe(404)
  expect((await end(eve.sessions[0]!.access, '/7')).status).toBe(404)
  expect(await isOpen(ada.sessions[0]!)).toBe(true)

  const operator = await operatorToken()
  expect((await list(operator, `?user_id=${ada.id}`)).body.items).toMatchObject([{ id, is_current: false }])
  expect((await end(operator, `/${id}`)).status).toBe(204)
  expect(await isOpen(ada.sessions[0]!)).toBe(false)
})

test('without a token nobody sees or ends anything', async () => {
  for (const [method, path] of [
    ['GET', '/sessions'],
    ['DELETE', '/sessions?others=true'],
    ['DELETE', `/sessions/${randomUUID()}`],
    ['PUT', `/users/${randomUUID()}/password`],
  ] as const)
    expect([path, (await identity.request(method, path)).status]).toEqual([path, 401])
})

describe('another password', () => {
  const NEW = 'three blue herons'
  const change = async (token: string, id: string, body: object) =>
    identity.request('PUT', `/users/${id}/password`, { token, body })

  test('takes the current one, and ends all other sessions', async () => {
    const { id, email, sessions } = await signIn('Hal', 3)
    const body = { current_password: PASSWORD, new_password: NEW }
    expect((await change(sessions[1]!.access, id, body)).status).toBe(204)
    expect(await Promise.all(sessions.map(isOpen))).toEqual([false, true, false])
    expect((await identity.login(email)).status).toBe(401)
    expect((await identity.login(email, NEW)).status).toBe(200)
    expect(await identity.events('password.changed')).toEqual([
      { user_id: id, changed_at: expect.any(String), by_new_owner: false },
    ])
  })

  test.each([
    ['a wrong one', { current_password: 'a guess', new_password: NEW }, 403, 'wrong-password'],
    ['none', { new_password: NEW }, 400, 'invalid-input'],
    ['a short new one', { current_password: PASSWORD, new_password: 'short' }, 400, 'invalid-input'],
    ['one that many use', { current_password: PASSWORD, new_password: 'password1234' }, 400, 'invalid-input'],
  ])('%s is refused, and changes nothing', async (name, body, status, problem) => {
    const { id, email, sessions } = await signIn(`Ivy${name.length}`)
    const refused = await change(sessions[0]!.access, id, body)
    expect([refused.status, problemOf(refused)]).toEqual([status, problem])
    expect((await identity.login(email)).status).toBe(200)
  })

  test('is nobody else’s to choose, not even an operator’s', async () => {
    const { id, email } = await signIn('Joy')
    const eve = await signIn('Kay')
    const body = { current_password: PASSWORD, new_password: NEW }
    expect((await change(eve.sessions[0]!.access, id, body)).status).toBe(404)
    expect((await change(await operatorToken(), id, body)).status).toBe(404)
    expect((await change(await token({ userId: randomUUID() }), randomUUID(), body)).status).toBe(404)
    expect((await identity.login(email)).status).toBe(200)
  })

  test('of two changes at once one wins', async () => {
    const { id, email, sessions } = await signIn('Leo')
    const [first, second] = ['four green herons', 'five red herons'].map((new_password) =>
      change(sessions[0]!.access, id, { current_password: PASSWORD, new_password }),
    )
    const statuses = [(await first!).status, (await second!).status]
    expect([...statuses].sort()).toEqual([204, 403])
    const winner = statuses[0] === 204 ? 'four green herons' : 'five red herons'
    expect((await identity.login(email, winner)).status).toBe(200)
  })
})
