import { randomBytes, randomUUID } from 'node:crypto'
import askProvider from './ask-provider.ts'
import receiveHook from './receive-hook.ts'
import sandboxProvider from './sandbox-provider.ts'
import sweepPayments from './sweep-payments.ts'
import topUps from './top-ups.ts'
import withdrawals from './withdrawals.ts'
import {
  create,
  db,
  eventOf,
  eventsOf,
  functions,
  goOn,
  money,
  oldSecret,
  owner,
  reportOf,
  secret,
  sendHook,
  settleInSandbox,
  show,
  sweep,
  useProvider,
  type Hook,
} from './testing/provider-fixture.ts'

/** What a payment provider says, and what somebody says who is none. */

useProvider({
  ...{ topUps, withdrawals, hooks: receiveHook, ask: askProvider },
  ...{ sandbox: sandboxProvider, sweep: sweepPayments },
})

const MINUTE_MS = 60_000
const statusOf = async (id: string) => (await show('top-up', `/${id}`)).body.status as string
const notedFor = async (id: string) =>
  db.query<{ state: string; dispute: string | null }>({
    text: 'select state, dispute from provider_hooks where transfer_id = $1 order by received_at',
    values: [id],
  })

test('a web hook that the provider did not sign, or long ago, is refused, and changes nothing', async () => {
  const { body } = await create('top-up')
  const report = reportOf(body, 'top-up')
  const signature = `v1,${randomBytes(32).toString('base64')}`
  const wrong: Record<string, Hook> = {
    'another secret': { secret: `whsec_${randomBytes(32).toString('base64')}` },
    'six minutes ago': { at: new Date(Date.now() - 6 * MINUTE_MS) },
    'six minutes ahead': { at: new Date(Date.now() + 6 * MINUTE_MS) },
    'a changed body': { body: JSON.stringify({ data: { ...report, amount: '9.00' } }) },
    'another id': { headers: { 'webhook-id': 'other' } },
    'another time': { headers: { 'webhook-timestamp': String(Math.floor(Date.now() / 1000) - 9) } },
    'no time': { headers: { 'webhook-timestamp': 'NaN' } },
    'a signature of nobody': { headers: { 'webhook-signature': signature } },
    'a short signature': { headers: { 'webhook-signature': 'v1,AAAA' } },
    'a signature of another version': { headers: { 'webhook-signature': signature.replace('v1', 'v1a') } },
    'an empty signature': { headers: { 'webhook-signature': '' } },
  }
  for (const [what, hook] of Object.entries(wrong)) {
    const answer = await sendHook(report, hook)
    expect([what, answer.status, answer.body.type?.split('/').pop()]).toEqual([what, 403, 'hook-refused'])
  }
  expect((await functions.hooks.request('POST', '/providers/sandbox/hooks', { body: {} })).status).toBe(403)
  expect(await statusOf(body.id)).toBe('pending')
  expect(await notedFor(body.id)).toEqual([])
})

test('both secrets are good while one replaces the other, and a signature may stand among others', async () => {
  const first = (await create('top-up')).body
  expect((await sendHook(reportOf(first, 'top-up'), { secret: oldSecret })).status).toBe(204)
  const second = (await create('top-up')).body
  expect((await sendHook(reportOf(second, 'top-up'), { secret })).status).toBe(204)
  for (const { id } of [first, second]) expect(await statusOf(id)).toBe('crediting')
})

test('a web hook that is sent again is answered alike, and done once, also if both come at once', async () => {
  const { body } = await create('top-up')
  const id = randomUUID()
  const report = reportOf(body, 'top-up')
  const answers = await Promise.all([1, 2, 3].map(() => sendHook(report, { id })))
  expect(answers.map(({ status }) => status)).toEqual([204, 204, 204])
  expect(await notedFor(body.id)).toEqual([{ state: 'settled', dispute: null }])
  await goOn(body.id)
  expect((await sendHook(report, { id })).status).toBe(204)
  await goOn(body.id)
  expect(await money()).toMatchObject({ balance: 925_00n })
})

test('a reference that nobody knows is refused, and taken once it is known', async () => {
  const { body } = await create('top-up')
  const unknown = { ...reportOf(body, 'top-up'), reference: randomUUID() }
  const id = randomUUID()
  const refused = await sendHook(unknown, { id })
  expect([refused.status, refused.body.type.split('/').pop()]).toEqual([404, 'unknown-reference'])
  await db.query({
    text: `insert into provider_transfers (id, kind, user_id, account_id, amount, currency, provider, status)
      select $1, kind, user_id, account_id, amount, currency, provider, 'asking' from provider_transfers where id = $2`,
    values: [unknown.reference, body.id],
  })
  expect((await sendHook(unknown, { id })).status).toBe(204)
  expect(await statusOf(unknown.reference)).toBe('crediting')
})

test.each([
  ['another amount', 'other-amount', { amount: '25.01' }],
  ['another currency', 'other-amount', { currency: 'EUR' }],
  ['another kind', 'other-kind', { kind: 'withdrawal' }],
  ['another id of its own', 'other-provider-id', { id: 'sandbox_other' }],
])('a report of %s is kept and told to operators, and changes nothing', async (_, reason, lie) => {
  const { body } = await create('top-up')
  for (let n = 0; n < 2; n++)
    expect((await sendHook({ ...reportOf(body, 'top-up'), ...lie })).status).toBe(204)
  expect(await statusOf(body.id)).toBe('pending')
  expect(await eventOf(body.id, 'clearing.disputed')).toMatchObject({ reason })
  expect(eventsOf(body.id).filter((type) => type === 'clearing.disputed')).toHaveLength(1)
  expect(await notedFor(body.id)).toHaveLength(2)
  expect(await money()).toMatchObject({ balance: 900_00n })
})

test('states only move forward: what failed is not settled, and what is settled does not fail', async () => {
  const failed = (await create('top-up', { amount: '10.01' })).body
  expect((await sendHook(reportOf(failed, 'top-up'))).status).toBe(204)
  expect(await statusOf(failed.id)).toBe('failed')
  expect(await eventOf(failed.id, 'clearing.disputed')).toMatchObject({ reason: 'settled-after-failed' })
  const settled = (await create('top-up', { amount: '10.06' })).body
  await settleInSandbox(settled.id)
  await goOn(settled.id)
  expect(await statusOf(settled.id)).toBe('completed')
  expect(await eventOf(settled.id, 'clearing.disputed')).toMatchObject({ reason: 'failed-after-settled' })
  const held = await create('withdrawal', { amount: '899.00' })
  const refused = await create('withdrawal', { amount: '899.00' })
  expect([held.status, refused.status]).toEqual([201, 409])
  expect(await money()).toEqual({ balance: 910_06n, held: 899_00n })
})

test('the database lets no transfer go back, or become another', async () => {
  const { body } = await create('top-up')
  await sendHook(reportOf(body, 'top-up'))
  await goOn(body.id)
  for (const change of [`status = 'pending', ended_at = null`, 'amount = 1', 'user_id = uuidv7()'])
    await expect(
      owner.query({ text: `update provider_transfers set ${change} where id = $1`, values: [body.id] }),
    ).rejects.toThrow()
  await expect(
    owner.query({ text: 'delete from provider_transfers where id = $1', values: [body.id] }),
  ).rejects.toThrow()
})

test('a web hook is forgotten after months, when its signature is no longer valid', async () => {
  const { body } = await create('top-up')
  await sendHook(reportOf(body, 'top-up', 'pending'))
  await sweep(body.id)
  expect(await notedFor(body.id)).toHaveLength(1)
  await owner.query({
    text: `update provider_hooks set received_at = now() - interval '91 days' where transfer_id = $1`,
    values: [body.id],
  })
  await sweep(body.id)
  expect(await notedFor(body.id)).toEqual([])
})

test('a provider that does not exist, and a body that is too large, are refused', async () => {
  const post = (path: string, body: string) => functions.hooks.request('POST', path, { body })
  expect((await post('/providers/nobody/hooks', '{}')).status).toBe(404)
  expect((await post('/providers/sandbox/hooks', 'x'.repeat(70_000))).status).toBe(413)
})
