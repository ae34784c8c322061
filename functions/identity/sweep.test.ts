import login from './login.ts'
import register from './register.ts'
import sweepIdentityOperation from './sweep-identity.ts'
import { sweepIdentity } from './sweep.ts'
import { startIdentity, type Identity } from './identity-fixture.ts'

let identity: Identity
beforeAll(async () => {
  identity = await startIdentity([register, login])
})
afterAll(() => identity.stop())

const rows = async (table: string) => (await identity.owner.query({ text: `select from ${table}` })).length

test('expired sessions are deleted with their tokens, however many; the others stay', async () => {
  const { id, email } = await identity.register('Ada')
  await identity.login(email)
  await identity.owner.query({
    text: `with expired as (
        insert into sessions (user_id, started_at, expires_at)
        select $1, now() - interval '31 days', now() - interval '1 day' from generate_series(1, 6000)
        returning id)
      insert into refresh_tokens (token_hash, session_id, generation)
        select sha256(id::text::bytea), id, 1 from expired`,
    values: [id],
  })
  await Promise.all([sweepIdentity(identity.db), sweepIdentity(identity.db)])
  expect([await rows('sessions'), await rows('refresh_tokens')]).toEqual([1, 1])
})

test('sweep-identity does it', async () => {
  await identity.owner.query({
    text: `insert into login_failures (subject, last_attempt_at)
      values (sha256('old'), now() - interval '2 hours')`,
  })
  const tools = { db: identity.db, outbox: { sweep: () => Promise.resolve(0) } }
  await sweepIdentityOperation.consumes!.receive({} as never, tools as never, undefined as never, {} as never)
  const text = `select from login_failures where subject = sha256('old')`
  expect(await identity.owner.query({ text })).toEqual([])
})
