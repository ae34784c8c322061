import { randomUUID } from 'node:crypto'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { callToken, token } from '../../tests/support/host.ts'
import { operatorToken, PASSWORD, problemOf, startIdentity, type Identity } from './identity-fixture.ts'
import login from './login.ts'
import refreshSession from './refresh-session.ts'
import register from './register.ts'
import { searchText } from './find-users.ts'
import users from './users.ts'

/** Stands in for the ledger's function `accounts`: records what it was asked, and answers that a user has the
 * accounts given here. */
const ledger = {
  asked: [] as { host: string | undefined; path: string | undefined; authorization: string | undefined }[],
  status: 200,
  accounts: { open: [] as object[], frozen: [] as object[] },
  /** By path. All others that name a thing are not there. */
  things: {} as Record<string, object>,
  /** Accounts by number. */
  numbers: {} as Record<string, object>,
}
const gateway = http.createServer((request, response) => {
  const { host, authorization } = request.headers
  // Events pass through the gateway as well.
  if (request.method === 'GET') ledger.asked.push({ host, path: request.url, authorization })
  if (/\/[0-9a-f-]{36}(\/|$)/.test(new URL(request.url ?? '', 'http://x').pathname)) {
    const thing = ledger.things[request.url ?? '']
    response.writeHead(thing ? ledger.status : 404, { 'content-type': 'application/json' })
    return response.end(JSON.stringify(thing ?? {}))
  }
  const { searchParams: asked } = new URL(request.url ?? '', 'http://accounts')
  const number = asked.get('number')
  const items =
    number === null
      ? ledger.accounts[asked.get('status') as 'open' | 'frozen']
      : [ledger.numbers[number]].filter((one) => one !== undefined)
  response.writeHead(ledger.status, { 'content-type': 'application/json' })
  return response.end(JSON.stringify({ items, next_cursor: null }))
})

let identity: Identity
let asOperator: string
beforeAll(async () => {
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve))
  identity = await startIdentity([register, login, refreshSession, users], {
    OPERATOR_EMAIL: 'root@bank.example',
    LOCAL_GATEWAY: `127.0.0.1:${(gateway.address() as AddressInfo).port}`,
  })
  asOperator = await operatorToken()
})
afterAll(async () => {
  await identity.stop()
  gateway.closeAllConnections()
  await new Promise((resolve) => gateway.close(resolve))
})
beforeEach(() =>
  Object.assign(ledger, {
    asked: [],
    status: 200,
    accounts: { open: [], frozen: [] },
    things: {},
    numbers: {},
  }),
)

const NOBODY = '0198f3a2-5b1c-7d4e-8f60-ffffffffffff'

async function customer(name: string) {
  const user = await identity.register(name)
  return { ...user, token: await token({ userId: user.id }) }
}

const request = (method: string, path: string, bearer?: string, body?: unknown) =>
  identity.request(method, path, { ...(bearer && { token: bearer }), body })

const confirmed = (id: string) =>
  identity.owner.query({ text: 'update users set email_confirmed_at = now() where id = $1', values: [id] })

describe('the user of an email address', () => {
  const find = (bearer: string | undefined, email: string) =>
    request('POST', '/users/find', bearer, { email })
  const asPayments = (email: string) =>
    callToken(randomUUID(), 'users', 'POST /users/find', { body: { email } })

  test('is told to payments, whatever the case of the address', async () => {
    const { id, email } = await customer('Finn')
    await confirmed(id)
    for (const given of [email, email.toUpperCase()]) {
      const { status, body } = await find(await asPayments(given), given)
      expect([status, body]).toEqual([200, { user_id: id }])
    }
  })

  test('is null if there is none, or no longer, or if nobody has shown that it is theirs', async () => {
    const { email: unconfirmed } = await customer('Ines')
    const { id, email, token: own } = await customer('Gone')
    await confirmed(id)
    expect((await request('DELETE', `/users/${id}`, own)).status).toBe(204)
    for (const given of ['nobody@example.com', email, unconfirmed])
      expect((await find(await asPayments(given), given)).body).toEqual({ user_id: null })
  })

  test('is told to no customer, no operator and nobody else', async () => {
    const { email, token: own } = await customer('Hugo')
    expect((await find(undefined, email)).status).toBe(401)
    for (const bearer of [own, asOperator]) {
      const answer = await find(bearer, email)
      expect([answer.status, problemOf(answer)]).toEqual([403, 'forbidden'])
    }
    expect((await find(await callToken(randomUUID(), 'users', 'GET /users'), email)).status).toBe(401)
    expect((await find(await asPayments('no address'), 'no address')).status).toBe(400)
    expect((await find(await asPayments('another@example.com'), email)).status).toBe(401)
  })
})

test('without a token nothing is shown', async () => {
  const { id } = await customer('Ann')
  for (const [method, path] of [
    ['GET', '/users'],
    ['POST', '/users'],
    ['GET', `/users/${id}`],
    ['PATCH', `/users/${id}`],
    ['DELETE', `/users/${id}`],
  ] as const) {
    const answer = await request(method, path)
    expect([method, answer.status, answer.headers.get('www-authenticate')]).toEqual([
      method,
      401,
      expect.stringContaining('Bearer'),
    ])
  }
})

test('only operators list and add users', async () => {
  const ada = await customer('Ada')
  expect((await request('GET', '/users', ada.token)).status).toBe(403)
  const entered = await request('POST', '/users', ada.token, { name: 'X', email: 'x@example.com' })
  expect(entered.status).toBe(403)
})

describe('finding users', () => {
  const find = async (query: Record<string, string>, bearer = asOperator) =>
    request('GET', `/users?${new URLSearchParams(query).toString()}`, bearer)
  const idsOf = async (query: Record<string, string>): Promise<string[]> => {
    const { status, body } = await find(query)
    expect([query, status]).toEqual([query, 200])
    return body.items.map(({ id }: { id: string }) => id)
  }

  test('by the beginnings of words of the name and the address, newest first', async () => {
    const enter = async (name: string, email: string): Promise<string> =>
      (await request('POST', '/users', asOperator, { name, email })).body.id
    const one = await enter('Örjan Æble-Straße', 'oae@finding.example')
    const two = await enter('Ørjan Other', 'o.other+x@finding.example')
    expect(await idsOf({ query: 'finding' })).toEqual([two, one])
    expect(await idsOf({ query: 'STRASSE' })).toEqual([one])
    expect(await idsOf({ query: 'o\u0308rj æb' })).toEqual([one])
    expect(await idsOf({ query: 'other find' })).toEqual([two])
    expect(await idsOf({ query: 'o.other+x@finding.example' })).toEqual([two])
    for (const query of ['ther', 'other straße', "nobody' | 'finding"])
      expect(await idsOf({ query })).toEqual([])
    const { next_cursor: cursor } = (await find({ query: 'finding', limit: '1' })).body
    expect(await idsOf({ query: 'finding', limit: '1', cursor })).toEqual([one])
    await request('DELETE', `/users/${one}`, asOperator)
    expect(await idsOf({ query: 'finding' })).toEqual([two])
  })

  test('reads the index, however many users there are', async () => {
    const plan = identity.owner.transaction(async (tx) => {
      await tx.query({
        text: `insert into users (name, email) select 'One ' || n, n || '@many.example' from generate_series(1, 3000) n`,
      })
      await tx.query({ text: 'analyze users' })
      const rows = await tx.query({ text: `explain ${searchText}`, values: [null, 1, '2999'] })
      // The many are not kept.
      throw new Error(JSON.stringify(rows))
    })
    await expect(plan).rejects.toThrow(/Bitmap Index Scan on users_search/)
  })

  test('by their own id, or that of what belongs to them, which the other contexts are asked for', async () => {
    const { id: mine } = await customer('Owner')
    expect(await idsOf({ id: mine.toUpperCase() })).toEqual([mine])
    expect(ledger.asked).toEqual([])
    const [order, hold, account] = [randomUUID(), randomUUID(), randomUUID()]
    ledger.things[`/orders/${order}`] = { user_id: mine, account_id: randomUUID() }
    ledger.things[`/holds/${hold}`] = { account_id: account }
    ledger.things[`/accounts/${account}`] = { user_id: mine }
    for (const id of [order, hold, account]) expect(await idsOf({ id })).toEqual([mine])
    expect(new Set(ledger.asked.map(({ authorization }) => authorization))).toEqual(
      new Set([`Bearer ${asOperator}`]),
    )
    expect(await idsOf({ id: NOBODY })).toEqual([])
    ledger.status = 500
    expect((await find({ id: hold })).status).toBe(503)
    const rows = await identity.owner.query({
      text: `select subject, owner_id from audit where route = 'GET /users' and subject in ($1, $2) order by id`,
      values: [order, NOBODY],
    })
    expect(rows).toEqual([
      { subject: order, owner_id: mine },
      { subject: NOBODY, owner_id: null },
    ])
  })

  test('by the number of an account, for which the ledger is asked', async () => {
    const { id: mine } = await customer('Numbered')
    ledger.numbers = { '123456789012': { user_id: mine } }
    expect(await idsOf({ account_number: '123456789012' })).toEqual([mine])
    expect(await idsOf({ account_number: '999999999999' })).toEqual([])
    expect(ledger.asked.map(({ host, authorization }) => [host, authorization])).toEqual(
      Array(2).fill(['accounts.bank.svc.cluster.local', `Bearer ${asOperator}`]),
    )
    ledger.status = 500
    expect((await find({ account_number: '123456789012' })).status).toBe(503)
    const [row] = await identity.owner.query({
      text: `select owner_id, details ->> 'account_number' as number from audit
        where route = 'GET /users' and subject = $1`,
      values: [mine],
    })
    expect(row).toEqual({ owner_id: mine, number: '123456789012' })
  })

  test('is for operators, asks for words or an id, and keeps no name in the audit', async () => {
    const zed = await customer('Zed')
    expect((await find({ query: 'zed' }, zed.token)).status).toBe(403)
    for (const bad of [
      { query: '  .' },
      { query: '' },
      { id: 'x' },
      { id: NOBODY, query: 'a' },
      { id: NOBODY, account_number: '123456789012' },
      { account_number: '12' },
      { name: 'a' },
    ])
      expect([bad, (await find(bad as never)).status]).toEqual([bad, 400])
    await find({ query: 'secretive' })
    const rows = await identity.owner.query({
      text: `select details::text from audit where route = 'GET /users'`,
    })
    expect(JSON.stringify(rows)).toContain('(given)')
    expect(JSON.stringify(rows)).not.toContain('secretive')
  })
})

test('customers see themselves, and only the fields of a user', async () => {
  const { token: own, ...user } = await customer('Bea')
  const answer = await request('GET', `/users/${user.id}`, own)
  expect([answer.status, answer.body]).toEqual([200, user])
  expect(Object.keys(answer.body)).toEqual([
    'id',
    'name',
    'email',
    'role',
    'email_confirmed_at',
    'created_at',
  ])
})

test('another user’s id is answered as if it did not exist, whatever the request', async () => {
  const cyd = await customer('Cyd')
  const dan = await customer('Dan')
  for (const method of ['GET', 'PATCH', 'DELETE']) {
    const body = method === 'PATCH' ? { name: 'Changed' } : undefined
    const other = await request(method, `/users/${dan.id}`, cyd.token, body)
    const nobody = await request(method, `/users/${NOBODY}`, cyd.token, body)
    expect([other.status, problemOf(other)]).toEqual([404, 'not-found'])
    expect(other.body).toEqual(nobody.body)
  }
  expect((await request('GET', `/users/${dan.id}`, asOperator)).body.name).toBe('Dan')
  expect(ledger.asked).toEqual([])
})

test('an operator sees everybody', async () => {
  const { token: _, ...eve } = await customer('Eve')
  expect((await request('GET', `/users/${eve.id}`, asOperator)).body).toEqual(eve)
  expect((await request('GET', `/users/${NOBODY}`, asOperator)).status).toBe(404)
  expect((await request('GET', '/users/not-an-id', asOperator)).status).toBe(404)
})

test('the pages of the list show every user once, newest first', async () => {
  const ids: string[] = []
  for (const name of ['Fay', 'Gil', 'Hal', 'Ivy', 'Joy']) ids.unshift((await customer(name)).id)
  const seen: string[] = []
  let cursor: string | null = null
  do {
    const query: string = cursor ? `&cursor=${cursor}` : ''
    const { status, body } = await request('GET', `/users?limit=2${query}`, asOperator)
    expect(status).toBe(200)
    expect(body.items.length).toBeLessThanOrEqual(2)
    for (const item of body.items)
      expect(Object.keys(item).sort()).toEqual([
        ...['created_at', 'email', 'email_confirmed_at', 'id', 'name', 'role'],
      ])
    seen.push(...body.items.map((item: { id: string }) => item.id))
    cursor = body.next_cursor
  } while (cursor)
  expect(seen.slice(0, 5)).toEqual(ids)
  expect(new Set(seen).size).toBe(seen.length)
  expect(seen).toHaveLength(
    (await identity.owner.query({ text: 'select from users where deleted_at is null' })).length,
  )
})

test.each(['limit=0', 'limit=201', 'limit=x', 'cursor=rubbish', 'cursor=', 'name=Ada'])(
  'a list with %s is invalid input',
  async (query) => {
    const answer = await request('GET', `/users?${query}`, asOperator)
    expect([answer.status, problemOf(answer)]).toEqual([400, 'invalid-input'])
  },
)

test('an operator adds a customer, who has no password and so can’t log in', async () => {
  const { status, body, headers } = await request('POST', '/users', asOperator, {
    name: 'Kay',
    email: 'Kay@Example.com',
  })
  expect(status).toBe(201)
  expect(body).toMatchObject({ name: 'Kay', email: 'kay@example.com', role: 'customer' })
  expect(headers.get('location')).toBe(`/api/users/${body.id}`)
  expect((await identity.login('kay@example.com')).status).toBe(401)
  const told = (await identity.events('user.registered')).filter(({ user_id }) => user_id === body.id)
  expect(told).toHaveLength(1)
})

test('adding is refused for a taken email address, and done once per Idempotency-Key', async () => {
  const enter = (body: unknown, key: string) =>
    identity.request('POST', '/users', { token: asOperator, body, headers: { 'idempotency-key': key } })
  const lee = { name: 'Lee', email: 'lee@example.com' }
  const first = await enter(lee, 'lee-1')
  const second = await enter(lee, 'lee-1')
  expect([second.status, second.headers.get('idempotency-replayed')]).toEqual([201, 'true'])
  expect(second.body).toEqual(first.body)
  const taken = await enter(lee, 'lee-2')
  expect([taken.status, problemOf(taken)]).toEqual([409, 'email-taken'])
  const other = await enter({ ...lee, name: 'Lea' }, 'lee-1')
  expect([other.status, problemOf(other)]).toEqual([422, 'idempotency-key-reused'])
})

test('users change their name and email address, and an event tells the new values of both', async () => {
  const max = await customer('Max')
  const { status, body } = await request('PATCH', `/users/${max.id}`, max.token, {
    ...{ email: 'MAX@new.example', current_password: PASSWORD },
  })
  expect([status, body]).toEqual([
    200,
    {
      ...{ id: max.id, name: 'Max', email: 'max@new.example', role: 'customer' },
      ...{ email_confirmed_at: null, created_at: expect.any(String) },
    },
  ])
  expect((await request('PATCH', `/users/${max.id}`, asOperator, { name: 'Maxim' })).body.name).toBe('Maxim')
  const told = (await identity.events('user.updated')).filter(({ user_id }) => user_id === max.id)
  expect(told.map(({ name, email }) => [name, email])).toEqual([
    ['Max', 'max@new.example'],
    ['Maxim', 'max@new.example'],
  ])
  expect((await identity.login('max@new.example')).status).toBe(200)
})

test('a changed email address is told with the one before; of two changes the later one has the later time', async () => {
  const eve = await customer('Evelyn')
  await request('PATCH', `/users/${eve.id}`, eve.token, {
    ...{ email: 'evelyn@new.example', current_password: PASSWORD },
  })
  await request('PATCH', `/users/${eve.id}`, eve.token, { name: 'Eva' })
  const changes = (await identity.events('email.changed')).filter(({ user_id }) => user_id === eve.id)
  expect(changes).toEqual([
    {
      user_id: eve.id,
      old_email: eve.email,
      new_email: 'evelyn@new.example',
      changed_at: expect.any(String),
    },
  ])
  const times = (await identity.events('user.updated'))
    .filter(({ user_id }) => user_id === eve.id)
    .map(({ updated_at: at }) => String(at))
  expect(times).toEqual([...new Set(times)].sort())
})

test('the own email address takes the current password: a stolen token is not enough to get the account', async () => {
  const una = await customer('Una')
  const change = async (body: object, bearer = una.token) => {
    const answer = await request('PATCH', `/users/${una.id}`, bearer, body)
    return [answer.status, problemOf(answer)]
  }
  const email = 'thief@evil.example'
  expect(await change({ email })).toEqual([403, 'wrong-password'])
  for (let i = 0; i < 6; i++)
    expect(await change({ email, name: 'X', current_password: 'a guess' })).toEqual([403, 'wrong-password'])
  // The guesses count as failed log-ins.
  expect(await change({ email, current_password: PASSWORD })).toEqual([429, 'too-many-requests'])
  expect((await request('GET', `/users/${una.id}`, una.token)).body).toMatchObject({
    ...{ name: 'Una', email: una.email },
  })
  expect(await change({ email: 'una@counter.example' }, asOperator)).toEqual([200, undefined])
  expect(await change({ email: 'una@new.example', current_password: PASSWORD })).toEqual([200, undefined])
})

test('a change to the present values changes nothing and emits no event', async () => {
  const ned = await customer('Ned')
  const { status } = await request('PATCH', `/users/${ned.id}`, ned.token, { name: 'Ned', email: ned.email })
  expect(status).toBe(200)
  expect((await identity.events('user.updated')).filter(({ user_id }) => user_id === ned.id)).toEqual([])
})

test('the email address of another user, or reserved for the first operator, can’t be taken', async () => {
  const [oda, pat] = [await customer('Oda'), await customer('Pat')]
  for (const email of [pat.email.toUpperCase(), 'root@bank.example']) {
    const answer = await request('PATCH', `/users/${oda.id}`, oda.token, {
      email,
      current_password: PASSWORD,
    })
    expect([answer.status, problemOf(answer)]).toEqual([409, 'email-taken'])
  }
  expect((await request('GET', `/users/${oda.id}`, oda.token)).body.email).toBe('oda@example.com')
})

test.each([{}, { role: 'operator' }, { name: '' }, { email: 'x' }, { password: 'a new one, and long' }])(
  'a change of %p is invalid input',
  async (body) => {
    const { id } = await identity.register(`Quin${Math.random().toString(36).slice(2)}`)
    const answer = await request('PATCH', `/users/${id}`, await token({ userId: id }), body)
    expect([answer.status, problemOf(answer)]).toEqual([400, 'invalid-input'])
  },
)

describe('deleting a user', () => {
  test('asks the ledger with the caller’s token, and is refused while an account is open or frozen', async () => {
    const ray = await customer('Ray')
    for (const status of ['open', 'frozen'] as const) {
      ledger.accounts = { open: [], frozen: [], [status]: [{}] }
      const answer = await request('DELETE', `/users/${ray.id}`, ray.token)
      expect([answer.status, problemOf(answer)]).toEqual([409, 'accounts-open'])
    }
    expect(ledger.asked).toContainEqual({
      host: 'accounts.bank.svc.cluster.local',
      path: `/accounts?user_id=${ray.id}&status=open&limit=1`,
      authorization: `Bearer ${ray.token}`,
    })
    expect((await request('GET', `/users/${ray.id}`, ray.token)).status).toBe(200)
  })

  test('is refused if the ledger does not answer', async () => {
    const sam = await customer('Sam')
    ledger.status = 500
    const answer = await request('DELETE', `/users/${sam.id}`, sam.token)
    expect([answer.status, problemOf(answer)]).toEqual([503, 'unavailable'])
    expect((await request('GET', `/users/${sam.id}`, sam.token)).status).toBe(200)
  })

  test('removes the user, their password and their sessions, and frees the email address', async () => {
    const tom = await customer('Tom')
    const { refresh_token } = (await identity.login(tom.email)).body
    const { status, body } = await request('DELETE', `/users/${tom.id}`, tom.token)
    expect([status, body]).toEqual([204, ''])

    for (const bearer of [tom.token, asOperator]) {
      expect((await request('GET', `/users/${tom.id}`, bearer)).status).toBe(404)
      expect((await request('DELETE', `/users/${tom.id}`, bearer)).status).toBe(404)
      expect((await request('PATCH', `/users/${tom.id}`, bearer, { name: 'T' })).status).toBe(404)
    }
    const { body: list } = await request('GET', '/users?limit=200', asOperator)
    expect(list.items.map((item: { id: string }) => item.id)).not.toContain(tom.id)
    expect((await identity.login(tom.email)).status).toBe(401)
    expect((await request('POST', '/auth/refresh', undefined, { refresh_token })).status).toBe(401)
    const [row] = await identity.owner.query({
      text: 'select name, email, password_hash, revoked_for from users join sessions on user_id = users.id where users.id = $1',
      values: [tom.id],
    })
    expect(row).toEqual({ name: '-', email: '-@-', password_hash: null, revoked_for: 'user-deleted' })
    const told = (await identity.events('user.deleted')).filter(({ user_id }) => user_id === tom.id)
    expect(told).toEqual([{ user_id: tom.id, deleted_at: expect.any(String) }])

    expect((await customer('Tom')).id).not.toBe(tom.id)
  })

  test('is refused for an operator', async () => {
    const una = await customer('Una')
    await identity.owner.query({ text: `update users set role = 'operator' where id = $1`, values: [una.id] })
    const answer = await request('DELETE', `/users/${una.id}`, asOperator)
    expect([answer.status, problemOf(answer)]).toEqual([403, 'forbidden'])
  })
})
