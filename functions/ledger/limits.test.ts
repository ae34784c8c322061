import { randomUUID } from 'node:crypto'
import { startFunction, token, type Answer, type TestFunction } from '../../tests/support/host.ts'
import limits from './limits.ts'
import { testGateway, type TestGateway } from './testing/gateway-fixture.ts'
import { alice, testLedger, type TestLedger } from './testing/ledger-fixture.ts'

const [bob, operator] = [randomUUID(), randomUUID()]
let ledger: TestLedger
let gateway: TestGateway
let running: TestFunction
let tokens: Record<'alice' | 'bob' | 'operator', string>

beforeAll(async () => {
  ledger = await testLedger()
  gateway = await testGateway()
  running = await startFunction(limits, {
    LEDGER_DATABASE_URL: ledger.database.url,
    LOCAL_GATEWAY: gateway.address,
  })
  tokens = {
    alice: await token({ userId: alice }),
    bob: await token({ userId: bob }),
    operator: await token({ userId: operator, role: 'operator' }),
  }
})

afterAll(async () => {
  await running.stop()
  await gateway.close()
  await ledger.close()
})

const some = { transaction_max: '500.00', day_max: 1000, time_zone: 'Europe/Berlin', reason: 'Asked for' }

const put = (account: string, more = {}, headers: Record<string, string> = {}): Promise<Answer> =>
  running.request('PUT', `/accounts/${account}/limits`, {
    token: tokens.operator,
    body: { ...some, ...more },
    headers,
  })

const get = (account: string, bearer = tokens.alice): Promise<Answer> =>
  running.request('GET', `/accounts/${account}/limits`, { token: bearer })

const versionsOf = async (account: string): Promise<number> => {
  const [row] = await ledger.db.query<{ count: bigint }>({
    text: 'select count(*) from account_limits where account_id = $1',
    values: [account],
  })
  return Number(row!.count)
}

const hasLimits = async (account: string): Promise<boolean> => {
  const [row] = await ledger.db.query<{ has_limits: boolean }>({
    text: 'select has_limits from accounts where id = $1',
    values: [account],
  })
  return row!.has_limits
}

const inHours = (hours: number): string => new Date(Date.now() + hours * 3_600_000).toISOString()

test('an account has no limits until an operator sets some; its owner and operators see them', async () => {
  const account = await ledger.open()
  const none = {
    account_id: account,
    currency: 'USD',
    version: null,
    valid_from: null,
    time_zone: null,
    transaction_max: null,
    day_max: null,
    day_used: null,
    day_remaining: null,
    month_max: null,
    month_used: null,
    month_remaining: null,
    coming: [],
  }
  expect((await get(account)).body).toEqual(none)
  const answer = await put(account)
  expect([answer.status, answer.body]).toEqual([
    200,
    {
      ...none,
      version: 1,
      valid_from: expect.any(String),
      time_zone: 'Europe/Berlin',
      transaction_max: '500.00',
      day_max: '1000.00',
      day_used: '0.00',
      day_remaining: '1000.00',
    },
  ])
  expect((await get(account)).body).toEqual(answer.body)
  expect((await get(account, tokens.operator)).body).toEqual(answer.body)
})

test('limits.changed tells it', async () => {
  const account = await ledger.open()
  await put(account)
  const [row] = await ledger.owner.query<{ data: unknown }>({
    text: `select data from outbox where type = 'limits.changed' and subject = $1`,
    values: [account],
  })
  expect(row!.data).toMatchObject({
    account_id: account,
    user_id: alice,
    transaction_max: '500.00',
    month_max: null,
    set_by: operator,
  })
})

test('the audit says who set limits, and which operator looked at a customer’s', async () => {
  const account = await ledger.open()
  await put(account)
  await get(account)
  await get(account, tokens.operator)
  const rows = await ledger.owner.query({
    text: 'select caller_id, owner_id, outcome from audit where subject = $1 order by id',
    values: [account],
  })
  const by = { caller_id: operator, owner_id: alice }
  expect(rows).toEqual([
    { ...by, outcome: 'changed' },
    { ...by, outcome: 'read' },
  ])
})

test('limits to come are shown, and hold when their moment comes', async () => {
  const account = await ledger.open()
  await put(account)
  const { body } = await put(account, { day_max: 1, valid_from: inHours(1) })
  expect([body.version, body.day_max]).toEqual([1, '1000.00'])
  expect(body.coming).toEqual([
    {
      version: 2,
      valid_from: expect.any(String),
      transaction_max: '500.00',
      day_max: '1.00',
      month_max: null,
    },
  ])
  const [row] = await ledger.db.query<{ version: number; day_max: bigint }>({
    text: 'select * from limit_room_of($1, $2)',
    values: [account, inHours(2)],
  })
  expect([row!.version, row!.day_max]).toEqual([2, 100n])
})

test('limits of nothing end them, at once or later', async () => {
  const account = await ledger.open()
  const nothing = { transaction_max: null, day_max: null }
  await put(account)
  expect(await hasLimits(account)).toBe(true)
  await put(account, nothing)
  expect(await hasLimits(account)).toBe(false)
  await put(account, { valid_from: inHours(1) })
  expect(await hasLimits(account)).toBe(true)
  const { body } = await put(account, { ...nothing, valid_from: inHours(2) })
  expect([body.day_max, body.coming.map(({ day_max: max }: { day_max: unknown }) => max)]).toEqual([
    null,
    ['1000.00', null],
  ])
})

test('limits that were set can neither be changed nor removed', async () => {
  const account = await ledger.open()
  await put(account)
  for (const text of ['update account_limits set day_max = null', 'delete from account_limits']) {
    await expect(ledger.owner.query({ text })).rejects.toMatchObject({ code: 'MB001' })
    await expect(ledger.db.query({ text })).rejects.toMatchObject({ code: '42501' })
  }
})

describe('refused', () => {
  test('without a token, or to a customer: they can’t set limits, not even their own', async () => {
    const account = await ledger.open()
    const path = `/accounts/${account}/limits`
    expect((await running.request('GET', path)).status).toBe(401)
    expect((await running.request('PUT', path, { body: some })).status).toBe(401)
    expect((await running.request('PUT', path, { token: tokens.alice, body: some })).status).toBe(403)
    expect(await versionsOf(account)).toBe(0)
  })

  test('for another customer’s account, or one that does not exist', async () => {
    const account = await ledger.open()
    await put(account)
    for (const answer of [
      await get(account, tokens.bob),
      await get(randomUUID()),
      await put(randomUUID()),
      await put('00000000-0000-7000-8000-000000555344'),
    ])
      expect([answer.status, answer.body.type]).toEqual([404, expect.stringMatching(/account-not-found$/)])
  })

  test.each([
    ['an unknown time zone', { time_zone: 'Europe/Atlantis' }, '/time_zone'],
    ['a time zone by its rules', { time_zone: 'Home/Here+5' }, '/time_zone'],
    ['an amount with too many decimals', { month_max: '0.001' }, '/month_max'],
    ['a negative amount', { day_max: -1 }, '/day_max'],
    ['no reason', { reason: '' }, '/reason'],
    ['a moment that is past', { valid_from: '2020-01-01T00:00:00Z' }, '/valid_from'],
    ['a moment that is none', { valid_from: '2026-02-30T00:00:00Z' }, '/valid_from'],
    ['an unknown field', { week_max: 1 }, '/week_max'],
  ])('%s', async (_what, more, path) => {
    const account = await ledger.open()
    const answer = await put(account, more)
    expect([answer.status, answer.body.errors[0].path]).toEqual([400, path])
    expect([await versionsOf(account), await hasLimits(account)]).toEqual([0, false])
  })
})

describe('with an Idempotency-Key', () => {
  test('a repeated change is made once, and another with the same key is refused', async () => {
    const account = await ledger.open()
    const key = { 'idempotency-key': randomUUID() }
    const first = await put(account, {}, key)
    const again = await put(account, {}, key)
    expect([again.status, again.body, again.headers.get('idempotency-replayed')]).toEqual([
      200,
      first.body,
      'true',
    ])
    expect((await put(account, { day_max: 2 }, key)).status).toBe(422)
    expect(await versionsOf(account)).toBe(1)
  })

  test('ten requests at once make one change; ten without a key make ten, one after the other', async () => {
    const [once, often] = [await ledger.open(), await ledger.open()]
    const key = { 'idempotency-key': randomUUID() }
    const many = Array.from({ length: 10 })
    await Promise.all(many.flatMap(() => [put(once, {}, key), put(often)]))
    expect([await versionsOf(once), await versionsOf(often)]).toEqual([1, 10])
  })
})
