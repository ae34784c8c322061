import { randomUUID } from 'node:crypto'
import type { MailedLink } from '../../eventing/contracts/mailed-link.ts'
import { linkToken, type LinkPurpose } from '../host/link-token.ts'
import { until } from '../../tests/support/until.ts'
import { clientAt, LINK_KEY, token } from '../../tests/support/host.ts'
import confirmEmail from './confirm-email.ts'
import {
  operatorToken,
  PASSWORD,
  problemOf,
  startIdentity,
  withinAnHour,
  type Identity,
} from './identity-fixture.ts'
import login from './login.ts'
import refreshSession from './refresh-session.ts'
import register from './register.ts'
import resetPassword from './reset-password.ts'
import { sweepIdentity } from './sweep.ts'
import users from './users.ts'

let identity: Identity
let asOperator: string
beforeAll(async () => {
  identity = await startIdentity([register, login, refreshSession, users, resetPassword, confirmEmail])
  asOperator = await operatorToken()
})
afterAll(() => identity.stop())

const NEW_PASSWORD = 'three blue herons'

const post = (path: string, body?: unknown, bearer?: string, headers: Record<string, string> = {}) =>
  identity.request('POST', path, {
    ...(bearer && { token: bearer }),
    ...(body !== undefined && { body }),
    headers,
  })

const ask = (email: string, headers = {}) => post('/auth/password-resets', { email }, undefined, headers)
const choose = (linkToken: string, password = NEW_PASSWORD) =>
  post('/auth/password-resets/confirm', { token: linkToken, new_password: password })
const confirm = (linkToken: string) => post('/auth/email/confirm', { token: linkToken })

type LinkEvent = 'password.reset-requested' | 'user.invited' | 'email.confirmation-requested'

/** The links of a type that were mailed to an address, oldest first. */
async function linksTo(type: LinkEvent, email: string): Promise<MailedLink[]> {
  const events = (await identity.events(type)) as unknown as MailedLink[]
  return events.filter((event) => event.email === email)
}

async function tokenTo(type: LinkEvent, email: string): Promise<string> {
  const link = (await linksTo(type, email)).at(-1)!
  return linkToken(LINK_KEY, purposeOf(type), link.link_id)
}

const purposeOf = (type: LinkEvent): LinkPurpose =>
  type === 'email.confirmation-requested' ? 'confirm-email' : 'new-password'

async function resetTokenOf(email: string): Promise<string> {
  expect((await ask(email)).status).toBe(202)
  return tokenTo('password.reset-requested', email)
}

const shown = async (id: string) =>
  (await identity.request('GET', `/users/${id}`, { token: asOperator })).body

const refused = (answer: Awaited<ReturnType<typeof post>>) => [answer.status, problemOf(answer)]
const NOT_VALID = [410, 'link-not-valid']

describe('a new password', () => {
  test('replaces the old one, ends all sessions, confirms the address, and is told', async () => {
    const ada = await identity.register('Ada')
    const { refresh_token: old } = (await identity.login(ada.email)).body
    const reset = await resetTokenOf(ada.email)
    expect((await choose(reset)).status).toBe(204)
    expect((await identity.login(ada.email)).status).toBe(401)
    expect((await identity.login(ada.email, NEW_PASSWORD)).status).toBe(200)
    expect(refused(await post('/auth/refresh', { refresh_token: old }))).toEqual([
      401,
      'invalid-refresh-token',
    ])
    expect((await shown(ada.id)).email_confirmed_at).toEqual(expect.any(String))
    // Whoever registered had not shown that the address is theirs.
    expect(await identity.events('password.changed')).toEqual([
      { user_id: ada.id, changed_at: expect.any(String), by_new_owner: true },
    ])
    expect(refused(await choose(reset, PASSWORD))).toEqual(NOT_VALID)
    expect((await choose(await resetTokenOf(ada.email), PASSWORD)).status).toBe(204)
    expect((await identity.events('password.changed')).at(-1)).toMatchObject({ by_new_owner: false })
  })

  test('lets nobody in whose log-in with the old one has begun before', async () => {
    const { id, email } = await identity.register('Amy')
    const reset = await resetTokenOf(email)
    let late: ReturnType<Identity['login']> | undefined
    await identity.owner.transaction(async (tx) => {
      // Holds the log-in up between the check of the password and the session.
      await tx.query({ text: 'lock table sessions in access exclusive mode' })
      late = identity.login(email)
      await until(async () => {
        const waiting = await tx.query({
          // The table has the same number in the databases of other tests.
          text: `select from pg_locks where relation = 'sessions'::regclass and not granted
            and database = (select oid from pg_database where datname = current_database())`,
        })
        return waiting.length > 0
      })
      // As the reset does; the test of that is above.
      await tx.query({
        text: `update users set password_hash = '$argon2id$other' where id = $1`,
        values: [id],
      })
    })
    expect(refused(await late!)).toEqual([401, 'invalid-credentials'])
    expect(
      await identity.owner.query({ text: 'select from sessions where user_id = $1', values: [id] }),
    ).toEqual([])
    expect((await choose(reset)).status).toBe(204)
  })

  test('is chosen once, however many use the link at once', async () => {
    const { id, email } = await identity.register('Bea')
    const reset = await resetTokenOf(email)
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) => choose(reset, `${NEW_PASSWORD} ${i}`)),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([204, ...Array<number>(7).fill(410)])
    const told = (await identity.events('password.changed')).filter(({ user_id: user }) => user === id)
    expect(told).toHaveLength(1)
    const winner = answers.findIndex(({ status }) => status === 204)
    expect((await identity.login(email, `${NEW_PASSWORD} ${winner}`)).status).toBe(200)
  })

  test('ends the other links for it', async () => {
    const { email } = await identity.register('Cid')
    const first = await resetTokenOf(email)
    const second = await resetTokenOf(email)
    expect((await choose(first)).status).toBe(204)
    expect(refused(await choose(second))).toEqual(NOT_VALID)
  })

  test('must be a good one; the link stays good', async () => {
    const { email } = await identity.register('Dora')
    const reset = await resetTokenOf(email)
    for (const [password, message] of [
      ['short', expect.any(String)],
      ['1qaz2wsx3edc', 'is known from leaks of passwords'],
      ['xx-dora-xx-dora', 'must not contain the email address'],
    ] as const) {
      const answer = await choose(reset, password)
      expect(answer.body.errors).toEqual([{ path: '/new_password', message }])
    }
    expect((await choose(reset)).status).toBe(204)
  })

  test('is not given for an altered, expired or foreign link, nor for one to an address of before', async () => {
    const { id, email } = await identity.register('Eve')
    const reset = await resetTokenOf(email)
    const { link_id: link } = (await linksTo('password.reset-requested', email)).at(-1)!
    const bearer = await token({ userId: id })
    for (const wrong of [
      `${reset.slice(0, -1)}${reset.endsWith('A') ? 'Q' : 'A'}`,
      linkToken(`${LINK_KEY}?`, 'new-password', link),
      linkToken(LINK_KEY, 'confirm-email', link),
      linkToken(LINK_KEY, 'new-password', randomUUID()),
      await tokenTo('email.confirmation-requested', email),
    ])
      expect(refused(await choose(wrong))).toEqual(NOT_VALID)
    for (const body of [
      { token: 'x', new_password: NEW_PASSWORD },
      { new_password: NEW_PASSWORD },
      { token: reset },
    ])
      expect((await post('/auth/password-resets/confirm', body)).status).toBe(400)

    await identity.owner.query({
      text: `update mailed_links set expires_at = now() where id = $1`,
      values: [link],
    })
    expect(refused(await choose(reset))).toEqual(NOT_VALID)

    const next = await resetTokenOf(email)
    for (const address of ['eve@new.example', email])
      await identity.request('PATCH', `/users/${id}`, {
        token: bearer,
        body: { email: address, current_password: PASSWORD },
      })
    expect(refused(await choose(next))).toEqual(NOT_VALID)
    expect((await identity.login(email)).status).toBe(200)
  })

  test('is not given to a deleted user', async () => {
    const { id, email } = await identity.register('Finn')
    const reset = await resetTokenOf(email)
    await identity.owner.query({
      text: `update users set deleted_at = now(), password_hash = null where id = $1`,
      values: [id],
    })
    expect(refused(await choose(reset))).toEqual(NOT_VALID)
  })
})

describe('asking for a new password', () => {
  /** How many rows of each table a request leaves. */
  async function rowsOf(work: () => Promise<unknown>): Promise<Record<string, number>> {
    const count = async (): Promise<Record<string, number>> => {
      const tables = ['mailed_links', 'outbox', 'audit', 'login_failures', 'idempotency_keys']
      const [row] = await identity.owner.query<Record<string, bigint>>({
        text: `select ${tables.map((table) => `(select count(*) from ${table}) as ${table}`).join(', ')}`,
      })
      return Object.fromEntries(Object.entries(row!).map(([table, n]) => [table, Number(n)]))
    }
    const before = await count()
    await work()
    return Object.fromEntries(Object.entries(await count()).map(([table, n]) => [table, n - before[table]!]))
  }

  test('is answered alike, after the same work, whether or not a user has the address', async () => {
    const { email } = await identity.register('Gus')
    const answers: unknown[] = []
    const request = (address: string) => async () => {
      const { status, body, headers } = await ask(address)
      answers.push([status, body, [...headers.keys()].sort()])
    }
    const [known, unknown] = [await rowsOf(request(email)), await rowsOf(request('nobody@example.com'))]
    expect(known).toEqual({ mailed_links: 1, outbox: 1, audit: 1, login_failures: 1, idempotency_keys: 0 })
    expect(unknown).toEqual(known)
    expect(answers[0]).toEqual([
      202,
      { message: expect.stringContaining('If a user has') },
      expect.anything(),
    ])
    expect(answers[1]).toEqual(answers[0])
    // What was typed may be anything, so it is kept nowhere.
    const kept = await identity.owner.query({
      text: `select to_jsonb(t) from (table mailed_links) t union all select to_jsonb(o) from outbox o
        union all select to_jsonb(a) from audit a`,
    })
    expect(JSON.stringify(kept)).not.toContain('nobody@example.com')
    expect(await identity.events('password.reset-failed')).toHaveLength(1)
  })

  test('fills nobody’s mailbox: at once, at most three links; those still work', async () => {
    const { email } = await identity.register('Hugo')
    const answers = await Promise.all(Array.from({ length: 12 }, () => ask(email)))
    expect(new Set(answers.map(({ status, body }) => `${status} ${body.message}`)).size).toBe(1)
    expect(answers[0]!.status).toBe(202)
    const links = await linksTo('password.reset-requested', email)
    expect(links).toHaveLength(3)
    expect((await choose(linkToken(LINK_KEY, 'new-password', links[0]!.link_id))).status).toBe(204)
  })

  test('from one address is slowed, whatever addresses are asked for', () =>
    withinAnHour(async () => {
      const from = clientAt('203.0.113.77')
      for (let i = 0; i < 21; i++) expect((await ask(`no-${i}@example.com`, from)).status).toBe(202)
      const answer = await ask('no-22@example.com', from)
      expect(refused(answer)).toEqual([429, 'too-many-requests'])
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
      expect((await ask('no-23@example.com', clientAt('203.0.113.78'))).status).toBe(202)
    }))

  test.each([{}, { email: 'ada' }, { email: 'ada@example.com', name: 'Ada' }, '{'])(
    'a bad body is refused: %j',
    async (body) => expect((await post('/auth/password-resets', body)).status).toBe(400),
  )

  test('leaves rows that go when they have expired', async () => {
    await identity.owner.query({ text: 'update mailed_links set expires_at = now()' })
    await sweepIdentity(identity.db)
    expect(await identity.owner.query({ text: 'select from mailed_links' })).toEqual([])
  })
})

test('a user whom an operator added gets a link, and can log in', async () => {
  const entered = await post('/users', { name: 'Ida', email: 'Ida@example.com' }, asOperator, {
    'idempotency-key': 'ida',
  })
  await post('/users', { name: 'Ida', email: 'Ida@example.com' }, asOperator, { 'idempotency-key': 'ida' })
  const links = await linksTo('user.invited', 'ida@example.com')
  expect(links).toEqual([expect.objectContaining({ user_id: entered.body.id })])
  const days = (Date.parse(links[0]!.expires_at) - Date.parse(links[0]!.requested_at)) / 86_400_000
  expect(days).toBe(7)
  expect((await choose(await tokenTo('user.invited', 'ida@example.com'))).status).toBe(204)
  expect((await identity.login('ida@example.com', NEW_PASSWORD)).status).toBe(200)
  // Nobody had a password before.
  expect((await identity.events('password.changed')).at(-1)).toMatchObject({ by_new_owner: false })
  expect(await identity.events('email.confirmed')).toContainEqual(
    expect.objectContaining({ user_id: entered.body.id }),
  )
})

describe('an email address', () => {
  test('is confirmed by the link that is mailed there after the registration, once', async () => {
    const { id, email } = await identity.register('Jan')
    expect((await shown(id)).email_confirmed_at).toBeNull()
    const link = await tokenTo('email.confirmation-requested', email)
    const answers = await Promise.all(Array.from({ length: 5 }, () => confirm(link)))
    expect(answers.map(({ status }) => status).sort()).toEqual([204, 410, 410, 410, 410])
    expect((await shown(id)).email_confirmed_at).toEqual(expect.any(String))
    const told = (await identity.events('email.confirmed')).filter(({ user_id: user }) => user === id)
    expect(told).toEqual([{ user_id: id, email, confirmed_at: expect.any(String) }])
    expect((await post('/auth/email/confirm', { token: 'x' })).status).toBe(400)
    const own = await token({ userId: id })
    expect(refused(await post('/auth/email/confirmations', undefined, own))).toEqual([409, 'email-confirmed'])
  })

  test('that is new is not confirmed, and an old link says nothing about it', async () => {
    const { id, email } = await identity.register('Kai')
    const own = await token({ userId: id })
    const first = await tokenTo('email.confirmation-requested', email)
    const patch = (body: object) =>
      identity.request('PATCH', `/users/${id}`, { token: own, body: { ...body, current_password: PASSWORD } })
    await identity.owner.query({
      text: 'update users set email_confirmed_at = now() where id = $1',
      values: [id],
    })
    expect((await patch({ name: 'Kay' })).body.email_confirmed_at).toEqual(expect.any(String))
    expect((await patch({ email: 'kai@new.example' })).body.email_confirmed_at).toBeNull()
    // Whoever has the new address, and takes the old one again, must not confirm that with an old link.
    expect((await patch({ email })).body.email_confirmed_at).toBeNull()
    for (const link of [first, await tokenTo('email.confirmation-requested', 'kai@new.example')])
      expect(refused(await confirm(link))).toEqual(NOT_VALID)
    expect((await confirm(await tokenTo('email.confirmation-requested', email))).status).toBe(204)
  })

  test('can get another link, but not many; and nobody uses up those of others', async () => {
    const { id, email } = await identity.register('Lea')
    const other = await identity.register('Mo')
    const own = await token({ userId: id })
    for (let i = 0; i < 5; i++) {
      await post('/auth/register', { name: 'X', email, password: PASSWORD })
      await identity.request('PATCH', `/users/${other.id}`, {
        token: await token({ userId: other.id }),
        body: { email, current_password: PASSWORD },
      })
    }
    expect((await post('/auth/email/confirmations')).status).toBe(401)
    for (let i = 0; i < 2; i++)
      expect((await post('/auth/email/confirmations', undefined, own)).status).toBe(202)
    expect(refused(await post('/auth/email/confirmations', undefined, own))).toEqual([
      429,
      'too-many-requests',
    ])
    const links = await linksTo('email.confirmation-requested', email)
    expect(links).toHaveLength(3)
    expect((await confirm(linkToken(LINK_KEY, 'confirm-email', links[0]!.link_id))).status).toBe(204)
  })
})

test('no token is in a table, an event, a key or the audit', async () => {
  const { email } = await identity.register('Nora')
  const reset = await resetTokenOf(email)
  const confirmation = await tokenTo('email.confirmation-requested', email)
  await post('/auth/password-resets/confirm', { token: reset, new_password: 'short' })
  await confirm(confirmation)
  await choose(reset)
  const tables = await identity.owner.query<{ name: string }>({
    text: `select table_name as name from information_schema.tables
      where table_schema = 'public' and table_type = 'BASE TABLE'`,
  })
  const texts = await Promise.all(
    tables.map(({ name }) =>
      identity.owner.query({ text: `select to_jsonb(t)::text as row from ${name} t` }),
    ),
  )
  const everything = JSON.stringify(texts)
  expect(everything).toContain('nora@example.com')
  for (const secret of [reset, confirmation])
    for (const part of [secret, secret.slice(22)]) expect(everything).not.toContain(part)
})
