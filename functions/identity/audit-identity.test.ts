import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { startSpan } from '../../monitoring/trace.ts'
import { clientAt, token } from '../../tests/support/host.ts'
import auditIdentity from './audit-identity.ts'
import {
  operator,
  operatorToken,
  PASSWORD,
  problemOf,
  startIdentity,
  type Identity,
} from './identity-fixture.ts'
import login from './login.ts'
import logout from './logout.ts'
import refreshSession from './refresh-session.ts'
import register from './register.ts'
import users from './users.ts'

/** Stands in for `accounts`, which a deletion asks. Keeps the header that tells the client's address. */
const toldOf: unknown[] = []
const gateway = http.createServer((request, response) => {
  if (request.method === 'GET') toldOf.push(request.headers['x-microbank-client'])
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ items: [], next_cursor: null }))
})

let identity: Identity
let asOperator: string
beforeAll(async () => {
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve))
  identity = await startIdentity([register, login, refreshSession, logout, users, auditIdentity], {
    OPERATOR_EMAIL: 'root@bank.example',
    OPERATOR_PASSWORD: 'a slow green barge',
    LOCAL_GATEWAY: `127.0.0.1:${(gateway.address() as AddressInfo).port}`,
  })
  asOperator = await operatorToken()
})
afterAll(async () => {
  await identity.stop()
  gateway.closeAllConnections()
  await new Promise((resolve) => gateway.close(resolve))
})

const ADDRESS = '203.0.113.9'

/** Sends a request in a trace of its own. Resolves with the answer and what the audit says of that trace. */
async function audited(method: string, path: string, body?: unknown, bearer?: string) {
  const { traceId, spanId } = startSpan(undefined)
  const answer = await identity.request(method, path, {
    ...(bearer && { token: bearer }),
    ...(body !== undefined && { body }),
    headers: { traceparent: `00-${traceId}-${spanId}-01`, ...clientAt(ADDRESS) },
  })
  const page = await identity.request('GET', '/audit/identity?limit=200', { token: asOperator })
  expect(page.status).toBe(200)
  const rows = (page.body.items as Record<string, unknown>[]).filter(
    ({ trace_id: trace }) => trace === traceId,
  )
  for (const row of rows) expect(row).toMatchObject({ context: 'identity', address: ADDRESS })
  return { answer, rows }
}

const registration = (name: string) => ({ name, email: `${name}@example.com`, password: PASSWORD })

test('a registration is in the audit, and repeated with its key it is there once; without address and password', async () => {
  const { answer, rows } = await audited('POST', '/auth/register', registration('ada'))
  expect(answer.status).toBe(201)
  const { id } = answer.body
  expect(rows).toEqual([
    expect.objectContaining({
      ...{ operation: 'register', route: 'POST /auth/register', subject: id, owner_id: id },
      ...{ caller_id: null, caller_role: 'anyone', outcome: 'changed' },
      details: { name: '(given)', email: '(given)' },
    }),
  ])
  const taken = await audited('POST', '/auth/register', registration('ada'))
  expect([taken.answer.status, taken.rows]).toEqual([409, []])
})

test('sessions: started, continued, ended by log-out, ended because a token was used twice', async () => {
  const { id, email } = await identity.register('Bea')
  const started = await audited('POST', '/auth/login', { email, password: PASSWORD })
  const common = { caller_id: id, caller_role: 'customer', owner_id: id, subject: expect.any(String) }
  expect(started.rows).toMatchObject([
    { ...common, operation: 'login', outcome: 'changed', details: { email: '(given)' } },
  ])
  const { refresh_token: first } = started.answer.body
  const continued = await audited('POST', '/auth/refresh', { refresh_token: first })
  const session = { ...common, subject: started.rows[0]!.subject }
  expect(continued.rows).toMatchObject([
    { ...session, operation: 'refresh-session', outcome: 'changed', details: null },
  ])
  await identity.owner.query({
    text: `update sessions set continued_at = continued_at - interval '10 seconds'`,
  })
  const twice = await audited('POST', '/auth/refresh', { refresh_token: first })
  expect([twice.answer.status, problemOf(twice.answer)]).toEqual([401, 'invalid-refresh-token'])
  expect(twice.rows).toMatchObject([{ ...session, operation: 'refresh-session', outcome: 'session-ended' }])

  const { refresh_token: other } = (await identity.login(email)).body
  const ended = await audited('POST', '/auth/logout', { refresh_token: other })
  expect(ended.rows).toMatchObject([{ ...common, operation: 'logout', outcome: 'session-ended' }])
  const again = await audited('POST', '/auth/logout', { refresh_token: other })
  expect([again.answer.status, again.rows]).toEqual([204, []])
})

test('a log-in that failed changes nothing, so it is an event and not in the audit', async () => {
  const { email } = await identity.register('Cid')
  const { answer, rows } = await audited('POST', '/auth/login', { email, password: 'wrong' })
  expect([answer.status, rows]).toEqual([401, []])
  expect((await identity.events('login.failed')).length).toBeGreaterThan(0)
})

test('the first operator is added by their first log-in, and both are in the audit', async () => {
  const { rows } = await audited('POST', '/auth/login', {
    email: 'root@bank.example',
    password: 'a slow green barge',
  })
  expect(rows).toMatchObject([
    { operation: 'login', caller_role: 'operator', outcome: 'changed' },
    { operation: 'login', caller_role: 'anyone', subject: rows[1]!.owner_id },
  ])
})

test('users: added, changed, deleted, with the fields that changed but not their values', async () => {
  const added = await audited('POST', '/users', { name: 'Dan', email: 'dan@example.com' }, asOperator)
  const { id } = added.answer.body
  const common = { operation: 'users', subject: id, owner_id: id, outcome: 'changed' }
  const by = { caller_id: operator.userId, caller_role: 'operator' }
  expect(added.rows).toMatchObject([
    { ...common, ...by, route: 'POST /users', details: { name: '(given)', email: '(given)' } },
  ])
  const own = await token({ userId: id })
  const changed = await audited('PATCH', `/users/${id}`, { name: 'Dana' }, own)
  expect(changed.rows).toMatchObject([
    { ...common, caller_id: id, route: 'PATCH /users/{id}', details: { name: '(given)' } },
  ])
  expect((await audited('PATCH', `/users/${id}`, { name: 'Dana' }, own)).rows).toEqual([])
  const deleted = await audited('DELETE', `/users/${id}`, undefined, asOperator)
  expect(deleted.rows).toMatchObject([{ ...common, ...by, route: 'DELETE /users/{id}' }])
  // The question whether they have accounts is asked on the operator's behalf, from their address.
  expect(toldOf.at(-1)).toBe(clientAt(ADDRESS)['x-microbank-client'])
  expect((await audited('DELETE', `/users/${id}`, undefined, asOperator)).rows).toEqual([])
})

test('what an operator reads of users is in the audit, what users read of themselves is not', async () => {
  const { id } = await identity.register('Eve')
  const by = { caller_id: operator.userId, caller_role: 'operator', outcome: 'read' }
  const one = await audited('GET', `/users/${id}`, undefined, asOperator)
  expect(one.rows).toMatchObject([{ ...by, route: 'GET /users/{id}', subject: id, owner_id: id }])
  const list = await audited('GET', '/users?limit=3', undefined, asOperator)
  expect(list.rows).toMatchObject([
    { ...by, route: 'GET /users', subject: null, owner_id: null, details: { limit: 3 } },
  ])
  const own = await audited('GET', `/users/${id}`, undefined, await token({ userId: id }))
  expect([own.answer.status, own.rows]).toEqual([200, []])
})

describe('the list', () => {
  const list = (search: string, bearer: string | undefined = asOperator) =>
    identity.request('GET', `/audit/identity${search}`, { ...(bearer && { token: bearer }) })

  test('is for operators', async () => {
    expect((await identity.request('GET', '/audit/identity')).status).toBe(401)
    const { id } = await identity.register('Fay')
    expect((await list('', await token({ userId: id }))).status).toBe(403)
  })

  test.each([
    ['?caller=ada', '/caller'],
    ['?owner=', '/owner'],
    ['?from=yesterday', '/from'],
    ['?to=2026-06-30T23:59:60Z', '/to'],
    ['?cursor=bm90IGFuIGlk', '/cursor'],
    ['?limit=0', '/limit'],
    ['?operation=%00', undefined],
    ['?who=ada', '/who'],
  ])('refuses %s', async (search, path) => {
    const { status, body } = await list(search)
    expect([status, body.errors?.[0]?.path]).toEqual([400, path])
  })

  test('can be filtered by each of its filters, and all together', async () => {
    const { id, email } = await identity.register('Gus')
    await identity.login(email)
    const bearer = await token({ userId: id })
    await audited('PATCH', `/users/${id}`, { name: 'Gustav' }, bearer)
    const of = async (search: string): Promise<string[]> =>
      (await list(search)).body.items.map(({ route }: { route: string }) => route)
    const [change, start, entry] = ['PATCH /users/{id}', 'POST /auth/login', 'POST /auth/register']
    expect(await of(`?owner=${id.toUpperCase()}`)).toEqual([change, start, entry])
    expect(await of(`?caller=${id}`)).toEqual([change, start])
    expect(await of(`?subject=${id}`)).toEqual([change, entry])
    expect(await of(`?subject=${id}&operation=register`)).toEqual([entry])
    expect((await of('?operation=register&limit=1')).length).toBe(1)
    const { at } = (await list(`?caller=${id}&operation=login`)).body.items[0]
    const [from, to] = [at, new Date(Date.parse(at) + 1).toISOString()]
    expect(await of(`?owner=${id}&caller=${id}&operation=login&from=${from}&to=${to}`)).toEqual([start])
    expect(await of(`?owner=${id}&to=${from}`)).toEqual([entry])
    expect(await of(`?caller=${id}&from=${to}`)).toEqual([change])
    expect(await of('?from=9999-01-01T00:00:00Z')).toEqual([])
    expect(await of('?to=0001-01-01T00:00:00Z')).toEqual([])
  })

  test('goes on page by page, newest first, without gaps and repeats', async () => {
    const whole = (await list('?limit=200')).body.items as { id: string; at: string }[]
    const ids = whole.map(({ id }) => id)
    expect(ids).toEqual([...ids].sort().reverse())
    const paged: string[] = []
    for (let cursor = `?limit=7&to=${new Date(Date.parse(whole[0]!.at) + 1).toISOString()}`; cursor;) {
      const { items, next_cursor: next } = (await list(cursor)).body
      paged.push(...items.map(({ id }: { id: string }) => id))
      cursor = next ? `?limit=7&cursor=${next}` : ''
    }
    expect(paged).toEqual(ids)
  })
})
