import { startIdentity, PASSWORD, problemOf, withinAnHour, type Identity } from './identity-fixture.ts'
import login from './login.ts'
import register from './register.ts'

let identity: Identity
beforeAll(async () => {
  identity = await startIdentity([register, login], { OPERATOR_EMAIL: 'Root@bank.example' })
})
afterAll(() => identity.stop())

const post = (body: unknown, key?: string) =>
  identity.request('POST', '/auth/register', { body, headers: key ? { 'idempotency-key': key } : {} })

const person = (name: string) => ({ name, email: `${name.toLowerCase()}@example.com`, password: PASSWORD })

const usersNamed = (name: string) =>
  identity.owner.query<{ password_hash: string; role: string }>({
    text: 'select * from users where name = $1',
    values: [name],
  })

test('a new user is a customer, and the answer holds only the fields of a user', async () => {
  const answer = await post({ ...person('Ada'), email: 'Ada.Lovelace@Example.COM' })
  expect(answer.status).toBe(201)
  expect(answer.body).toEqual({
    id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    name: 'Ada',
    email: 'ada.lovelace@example.com',
    role: 'customer',
    email_confirmed_at: null,
    created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
  })
  expect(answer.headers.get('location')).toBe(`/api/users/${answer.body.id}`)
})

test('the password is stored only as argon2id', async () => {
  await post(person('Bea'))
  const [row] = await usersNamed('Bea')
  expect(row?.password_hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  expect(JSON.stringify(row)).not.toContain(PASSWORD)
})

test('a registration is emitted as an event, without the password', async () => {
  const { body } = await post(person('Cyd'))
  const told = (await identity.events('user.registered')).filter(({ name }) => name === 'Cyd')
  expect(told).toEqual([
    {
      user_id: body.id,
      name: 'Cyd',
      email: 'cyd@example.com',
      role: 'customer',
      registered_at: body.created_at,
    },
  ])
})

test('an email address belongs to one user, whatever case it is written in', async () => {
  await post(person('Dan'))
  const second = await post({ ...person('Dan'), email: 'DAN@EXAMPLE.com' })
  expect([second.status, problemOf(second)]).toEqual([409, 'email-taken'])
  expect(await usersNamed('Dan')).toHaveLength(1)
})

test('of many who register one email address at once, one gets it', async () => {
  const answers = await Promise.all(Array.from({ length: 10 }, () => post(person('Eve'))))
  expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array<number>(9).fill(409)])
  expect((await identity.events('user.registered')).filter(({ name }) => name === 'Eve')).toHaveLength(1)
})

test('nobody else can register the first operator’s email address', async () => {
  const answer = await post({ ...person('Mallory'), email: 'root@bank.example' })
  expect([answer.status, problemOf(answer)]).toEqual([409, 'email-taken'])
})

test('without a password in the environment there is no first operator', async () => {
  expect((await identity.login('root@bank.example')).status).toBe(401)
  expect(await usersNamed('Operator')).toEqual([])
})

test.each([
  ['a role', { role: 'operator' }, '/role'],
  ['an id', { id: '0198f3a2-5b1c-7d4e-8f60-112233445566' }, '/id'],
  ['no name', { name: undefined }, '/name'],
  ['an empty name', { name: '' }, '/name'],
  ['a name of blanks', { name: '  \u3000' }, '/name'],
  ['a name with a line end', { name: 'A\nB' }, '/name'],
  ['a name with a null character', { name: 'A\u0000B' }, '/name'],
  ['a name that changes the direction of writing', { name: 'A\u202eB' }, '/name'],
  ['a name that is half a character', { name: '\ud800' }, '/name'],
  ['a name that is too long', { name: 'x'.repeat(201) }, '/name'],
  ['a name that is not text', { name: 7 }, '/name'],
  ['an email address without @', { email: 'ada' }, '/email'],
  ['an email address without a dot', { email: 'ada@localhost' }, '/email'],
  ['an email address with a blank', { email: 'a da@example.com' }, '/email'],
  ['an email address with a line end', { email: 'ada@example.com\n' }, '/email'],
  ['two email addresses', { email: 'ada@example.com,bea@example.com' }, '/email'],
  ['an email address that is too long', { email: `ada@${'a'.repeat(60)}.${'b.'.repeat(100)}com` }, '/email'],
  ['a short password', { password: 'eleven char' }, '/password'],
  ['a password that is too long', { password: 'long '.repeat(26) }, '/password'],
  ['a password with a control character', { password: 'grey herons\u0007 wade' }, '/password'],
  ['a leaked password', { password: '1qaz2wsx3edc' }, '/password'],
  ['a password with the email address in it', { password: 'xx-refused-xx' }, '/password'],
])('%s is refused, and the answer says where', async (_, change, path) => {
  const answer = await post({ ...person('Refused'), ...change })
  expect([answer.status, problemOf(answer)]).toEqual([400, 'invalid-input'])
  expect(answer.body.errors.map((error: { path: string }) => error.path)).toContain(path)
  expect(JSON.stringify(answer.body)).not.toContain('xx-refused-xx')
})

test('names of all scripts, and of 200 characters, are accepted', async () => {
  const names = ['Ada O’Brien-Müller', '李小龍', 'ירושלים', '🦆'.repeat(200), "Robert'); drop table users;--"]
  for (const [i, name] of names.entries()) {
    const { status, body } = await post({ name, email: `name${i}@example.com`, password: PASSWORD })
    expect([status, body.name]).toEqual([201, name])
  }
})

describe('with an Idempotency-Key', () => {
  test('a repeat gets the first answer again and adds nobody', async () => {
    const first = await post(person('Fay'), 'key-fay')
    const second = await post(person('Fay'), 'key-fay')
    expect(second.status).toBe(201)
    expect(second.body).toEqual(first.body)
    expect(second.headers.get('idempotency-replayed')).toBe('true')
    expect(first.headers.get('idempotency-replayed')).toBeNull()
    expect((await identity.events('user.registered')).filter(({ name }) => name === 'Fay')).toHaveLength(1)
  })

  test('a repeat with another password is another request', async () => {
    await post(person('Gil'), 'key-gil')
    const answer = await post({ ...person('Gil'), password: 'grey herons wade quickly' }, 'key-gil')
    expect([answer.status, problemOf(answer)]).toEqual([422, 'idempotency-key-reused'])
    expect(JSON.stringify(answer.body)).not.toContain('gil@')
  })

  test('a repeat doesn’t get around the limit on guesses at a password', async () => {
    await post(person('Hal'), 'key-hal')
    const statuses = []
    for (let guess = 0; guess < 8; guess++) {
      statuses.push((await post({ ...person('Hal'), password: `not the one, ${guess}` }, 'key-hal')).status)
    }
    expect(statuses).toEqual([422, 422, 422, 422, 422, 422, 429, 429])
    expect((await identity.login('hal@example.com')).status).toBe(429)
  })

  test('somebody who guesses the key neither learns about the first request nor blocks it', async () => {
    const first = await post(person('Kim'), 'key-1')
    const other = await post(person('Lou'), 'key-1')
    expect([first.status, other.status]).toEqual([201, 201])
    expect(other.headers.get('idempotency-replayed')).toBeNull()
    expect(JSON.stringify(other.body)).not.toMatch(/kim/i)
    // Even a request that comes first and is refused does not block it.
    expect((await post(person('Kim'), 'key-2')).status).toBe(409)
    expect((await post(person('Max'), 'key-2')).status).toBe(201)
    const again = await post(person('Kim'), 'key-1')
    expect([again.status, again.body]).toEqual([201, first.body])
  })

  test('two people who use the same key at once each get their own answer', async () => {
    const names = ['Ned', 'Ola', 'Pia', 'Quy']
    const answers = await Promise.all(names.map((name) => post(person(name), 'key-at-once')))
    expect(answers.map(({ status, body }) => [status, body.name])).toEqual(names.map((name) => [201, name]))
  })

  test('a refusal is stored too', async () => {
    await post(person('Ivy'))
    await post(person('Ivy'), 'key-ivy')
    const again = await post(person('Ivy'), 'key-ivy')
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([409, 'true'])
  })

  test('no fast hash of the password is stored with the key', async () => {
    await post(person('Joy'), 'key-joy-1')
    await post({ ...person('Joy'), password: 'another one, and long' }, 'key-joy-2')
    const rows = await identity.owner.query<{ request_hash: Buffer }>({
      text: 'select request_hash from idempotency_keys order by created_at desc limit 2',
    })
    expect(new Set(rows.map((row) => row.request_hash.toString('hex'))).size).toBe(1)
    // Each key takes up no more than it needs.
    expect(rows[0]!.request_hash).toHaveLength(16)
  })
})

describe('many registrations', () => {
  const from = (address: string) => ({ 'x-forwarded-for': address })
  const registerFrom = (n: number, address: string) =>
    identity.request('POST', '/auth/register', {
      body: { ...person(`Many${n}`), email: `many-${n}-${address}@example.com` },
      headers: from(address),
    })

  test('from one address must wait: the answer gives the time, and no password is hashed', async () => {
    const limited = await startIdentity([register, login], { REGISTRATIONS_FREE: '3' })
    try {
      await withinAnHour(() => floodFrom(limited))
    } finally {
      await limited.stop()
    }
  })

  async function floodFrom(limited: Identity): Promise<void> {
    const post = (n: number, address: string) =>
      limited.request('POST', '/auth/register', {
        body: { ...person(`Many${n}`), email: `many${n}@example.com` },
        headers: from(address),
      })
    const statuses = []
    for (let n = 0; n < 4; n++) statuses.push((await post(n, '203.0.113.9')).status)
    expect(statuses).toEqual([201, 201, 201, 201])
    const refused = await post(4, '203.0.113.9')
    expect([refused.status, problemOf(refused)]).toEqual([429, 'too-many-requests'])
    // Some of the 10 s have passed.
    expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(10)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await limited.owner.query({ text: `select from users where name = 'Many4'` })).toEqual([])
    expect((await post(5, '203.0.113.10')).status).toBe(201)
    // Log-ins are not slowed.
    expect((await limited.login('many0@example.com', PASSWORD, from('203.0.113.9'))).status).toBe(200)
  }

  test('from a shared address, as on a laptop, need not wait', async () => {
    const statuses = []
    for (let n = 0; n < 25; n++) statuses.push((await registerFrom(n, '127.0.0.1')).status)
    expect(new Set(statuses)).toEqual(new Set([201]))
  })
})

test('the functions’ database role can neither choose nor change a user’s role, nor delete a user', async () => {
  const refused = (text: string) =>
    expect(identity.db.query({ text })).rejects.toMatchObject({ code: '42501' })
  await refused(`insert into users (name, email, role) values ('M', 'm@example.com', 'operator')`)
  await refused(`update users set role = 'operator'`)
  await refused(`delete from users`)
  await refused(`update refresh_tokens set session_id = session_id`)
})
