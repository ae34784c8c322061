import { randomUUID } from 'node:crypto'
import { startFunction, token, type Answer, type TestFunction } from '../../tests/support/host.ts'
import { until } from '../../tests/support/until.ts'
import fees from './fees.ts'
import { testGateway, type TestGateway } from './testing/gateway-fixture.ts'
import {
  alice,
  deposit,
  ending,
  placing,
  testLedger,
  transfer,
  type TestLedger,
} from './testing/ledger-fixture.ts'

const operator = randomUUID()
let ledger: TestLedger
let gateway: TestGateway
let running: TestFunction
let tokens: Record<'alice' | 'operator', string>

beforeAll(async () => {
  ledger = await testLedger()
  gateway = await testGateway()
  running = await startFunction(fees, {
    LEDGER_DATABASE_URL: ledger.database.url,
    LOCAL_GATEWAY: gateway.address,
  })
  tokens = {
    alice: await token({ userId: alice }),
    operator: await token({ userId: operator, role: 'operator' }),
  }
})

afterAll(async () => {
  await running.stop()
  await gateway.close()
  await ledger.close()
})

const proposal = (more = {}): Record<string, unknown> => ({
  currency: 'USD',
  type: 'transfer',
  rules: { fixed: '0.30', percent: 2.9, maximum: '10.00', tiers: [{ from: '500', percent: '1.25' }] },
  reason: 'Prices of this year',
  ...more,
})

const put = (more = {}, headers: Record<string, string> = {}): Promise<Answer> =>
  running.request('PUT', '/fees', { token: tokens.operator, body: proposal(more), headers })

const list = async (currency: string, bearer = tokens.operator): Promise<Answer['body'][]> =>
  (await running.request('GET', `/fees?currency=${currency}`, { token: bearer })).body.items

const versionsOf = async (currency: string): Promise<number> => {
  const [row] = await ledger.db.query<{ count: bigint }>({
    text: 'select count(*) from fee_policies where currency = $1',
    values: [currency],
  })
  return Number(row!.count)
}

const inHours = (hours: number): string => new Date(Date.now() + hours * 3_600_000).toISOString()

test('an operator sets a fee; everybody signed in sees it, and only operators see who set it and why', async () => {
  const answer = await put()
  expect(answer.status).toBe(200)
  expect(answer.body).toEqual({
    version: expect.any(Number),
    currency: 'USD',
    type: 'transfer',
    rules: {
      fixed: '0.30',
      percent: '2.9',
      minimum: null,
      maximum: '10.00',
      tiers: [{ from: '500.00', fixed: '0.00', percent: '1.25', minimum: null, maximum: null }],
    },
    valid_from: expect.any(String),
    set_by: operator,
    reason: 'Prices of this year',
  })
  expect(await list('USD')).toEqual([answer.body])
  expect(await list('USD', tokens.alice)).toEqual([{ ...answer.body, set_by: null, reason: null }])
})

test('fees.changed tells it', async () => {
  const { body } = await put({ currency: 'NOK' })
  const [row] = await ledger.owner.query<{ data: Record<string, unknown>; partitionkey: string }>({
    text: `select data, partitionkey from outbox where type = 'fees.changed' and subject = $1`,
    values: [String(body.version)],
  })
  expect(row!.partitionkey).toBe('NOK.transfer')
  expect(row!.data).toMatchObject({ transaction_type: 'transfer', rules: body.rules, set_by: operator })
})

test('the audit says who set it', async () => {
  await put({ currency: 'GEL' })
  const rows = await ledger.owner.query({
    text: `select caller_id, outcome from audit where subject = 'GEL.transfer'`,
  })
  expect(rows).toEqual([{ caller_id: operator, outcome: 'changed' }])
})

test('a fee holds from the moment on for which it is set, until a later one does', async () => {
  const now = await put({ currency: 'SEK' })
  const later = await put({ currency: 'SEK', rules: null, valid_from: inHours(2) })
  const sooner = await put({ currency: 'SEK', rules: { fixed: 1 }, valid_from: inHours(1) })
  expect(await list('SEK')).toEqual([now.body, sooner.body, later.body])
  const at = async (hours: number): Promise<unknown> => {
    const [row] = await ledger.db.query<{ rules: unknown }>({
      text: `select fee_rules_at('SEK', 'transfer', $1) as rules`,
      values: [inHours(hours)],
    })
    return row!.rules
  }
  expect(await at(-1)).toBeNull()
  expect(await at(0.5)).toMatchObject({ fixed: 30 })
  expect(await at(1.5)).toMatchObject({ fixed: 100 })
  expect(await at(2.5)).toBeNull()
})

test('of two fees for the same moment the one set last holds, so one to come can be taken back', async () => {
  const moment = inHours(1)
  await put({ currency: 'DKK', valid_from: moment })
  const last = await put({ currency: 'DKK', rules: null, valid_from: moment })
  const [row] = await ledger.db.query<{ rules: unknown }>({
    text: `select fee_rules_at('DKK', 'transfer', $1) as rules`,
    values: [inHours(2)],
  })
  expect([last.status, row!.rules]).toEqual([200, null])
})

test('a posting that reads the fees now is waited for, and the fee holds from after it', async () => {
  let setting: Promise<Answer> | undefined
  const at = await ledger.owner.transaction(async (tx) => {
    await tx.query({ text: 'lock table fee_policies in row share mode' })
    setting = put({ currency: 'CHF' })
    await until(async () => {
      const [row] = await ledger.owner.query<{ count: bigint }>({
        // Other tests' databases are copies, in which the table has the same number.
        text: `select count(*) from pg_locks l join pg_database d on d.oid = l.database
          where d.datname = current_database() and relation = 'fee_policies'::regclass and not granted
            and mode = 'ExclusiveLock'`,
      })
      return row!.count > 0n
    })
    const [row] = await tx.query<{ at: Date }>({ text: 'select clock_timestamp() as at' })
    return row!.at
  })
  const answer = await setting!
  expect(answer.status).toBe(200)
  expect(Date.parse(answer.body.valid_from)).toBeGreaterThan(at.getTime())
})

test('a fee set from now is in force when its change has been made', async () => {
  for (let n = 0; n < 30; n++) {
    const [row] = await ledger.db.query<{ is_past: boolean }>({
      text: `select f.valid_from <= date_trunc('milliseconds', clock_timestamp()) as is_past
        from set_fee('AMD', 'transfer', null, null, $1, 'a test') f`,
      values: [operator],
    })
    expect(row!.is_past).toBe(true)
  }
})

test('fees that were set can neither be changed nor removed', async () => {
  await put({ currency: 'PLN' })
  const attempts = [
    `update fee_policies set rules = null where currency = 'PLN'`,
    `delete from fee_policies where currency = 'PLN'`,
  ]
  for (const text of attempts) {
    await expect(ledger.owner.query({ text })).rejects.toMatchObject({ code: 'MB001' })
    await expect(ledger.db.query({ text })).rejects.toMatchObject({ code: '42501' })
  }
})

describe('a dry run of a fee', () => {
  const tryOut = (more = {}): Promise<Answer> =>
    running.request('POST', '/fees/dry-run', {
      token: tokens.operator,
      body: { currency: 'ISK', type: 'transfer', rules: { fixed: 10, percent: 1 }, ...more },
    })

  test('tells what the last days have cost, and would have cost; and sets nothing', async () => {
    const currency = 'ISK'
    const [from, to] = [await ledger.open({ currency }), await ledger.open({ currency })]
    await ledger.post(deposit(from, 10_000, { currency }), transfer(from, to, 100, { currency }))
    await put({ currency, rules: { fixed: 5 } })
    const hold = placing(from, 1_000, { currency })
    await ledger.post(transfer(from, to, 2_000, { currency }), hold, transfer(from, to, 90_000, { currency }))
    await ledger.post(ending('capture', hold, 1_000, { to_account_id: to }))
    const answer = await tryOut()
    expect([answer.status, answer.body]).toEqual([
      200,
      {
        since: expect.any(String),
        // A capture is a transfer.
        transactions: 3,
        is_complete: true,
        amount: '3100',
        fees: '10',
        proposed_fees: '61',
        proposed_max: '30',
      },
    ])
    expect((await tryOut({ rules: null, days: 31 })).body).toMatchObject({ fees: '10', proposed_fees: '0' })
    expect(await list(currency)).toHaveLength(1)
  })

  test('says so if there were more transactions than it reads', async () => {
    const [row] = await ledger.db.query<{ transaction_count: bigint; is_complete: boolean }>({
      text: `select * from fee_trial('ISK', 'transfer', null, now() - interval '1 day', 3)`,
    })
    expect(row!.is_complete).toBe(false)
  })

  test.each([
    ['no rules', { rules: undefined }],
    ['too many days', { days: 32 }],
    ['bad rules', { rules: { percent: 101 } }],
  ])('is refused: %s', async (_what, more) => {
    expect((await tryOut(more)).status).toBe(400)
  })
})

describe('refused', () => {
  test.each([
    ['no token', 401, undefined],
    ['a customer', 403, 'alice'],
  ] as const)('with %s', async (_who, status, who) => {
    const options = { ...(who && { token: tokens[who] }), body: proposal({ currency: 'HUF' }) }
    expect((await running.request('PUT', '/fees', options)).status).toBe(status)
    expect((await running.request('POST', '/fees/dry-run', options)).status).toBe(status)
    expect(await versionsOf('HUF')).toBe(0)
  })

  test('nobody who is not signed in sees fees', async () => {
    expect((await running.request('GET', '/fees')).status).toBe(401)
  })

  const plain = { fixed: 1 }
  test.each([
    ['an unknown currency', { currency: 'QQQ' }, '/currency'],
    ['an unknown type', { type: 'reversal' }, '/type'],
    ['no reason', { reason: '' }, '/reason'],
    ['empty rules', { rules: {} }, '/rules'],
    ['an amount with too many decimals', { rules: { fixed: '0.001' } }, '/rules/fixed'],
    ['a negative amount', { rules: { fixed: -1 } }, '/rules/fixed'],
    ['more than the whole', { rules: { percent: '100.0001' } }, '/rules/percent'],
    ['a percentage with too many decimals', { rules: { percent: '0.00001' } }, '/rules/percent'],
    ['a maximum below the minimum', { rules: { minimum: 2, maximum: 1 } }, '/rules/maximum'],
    ['tiers out of order', { rules: { tiers: [{ from: 2 }, { from: 2 }] } }, '/rules/tiers/1/from'],
    ['a tier without its beginning', { rules: { tiers: [plain] } }, '/rules/tiers/0/from'],
    ['a moment that is past', { valid_from: '2020-01-01T00:00:00Z' }, '/valid_from'],
    ['a moment that is none', { valid_from: 'tomorrow' }, '/valid_from'],
  ])('%s', async (_what, more, path) => {
    const answer = await put({ currency: 'HUF', ...more })
    expect([answer.status, answer.body.type]).toEqual([400, expect.stringMatching(/invalid-input$/)])
    const paths = (answer.body.errors as { path: string }[]).map((error) => error.path)
    expect(paths.some((found) => found === path || found.startsWith(path) || path.startsWith(found))).toBe(
      true,
    )
    expect(await versionsOf('HUF')).toBe(0)
  })
})

describe('with an Idempotency-Key', () => {
  test('a repeated change is made once, and another with the same key is refused', async () => {
    const key = { 'idempotency-key': randomUUID() }
    const first = await put({ currency: 'CZK' }, key)
    const again = await put({ currency: 'CZK' }, key)
    expect([again.status, again.body]).toEqual([200, first.body])
    expect(again.headers.get('idempotency-replayed')).toBe('true')
    expect((await put({ currency: 'CZK', type: 'deposit' }, key)).status).toBe(422)
    expect(await versionsOf('CZK')).toBe(1)
  })

  test('ten requests at once make one change', async () => {
    const key = { 'idempotency-key': randomUUID() }
    const answers = await Promise.all(Array.from({ length: 10 }, () => put({ currency: 'RON' }, key)))
    expect(new Set(answers.map(({ status }) => status))).toEqual(
      new Set(answers.some(({ status }) => status === 409) ? [200, 409] : [200]),
    )
    expect(await versionsOf('RON')).toBe(1)
  })
})
