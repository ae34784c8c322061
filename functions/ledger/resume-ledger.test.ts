import { randomUUID } from 'node:crypto'
import { deliverTick } from '../../tests/support/events.ts'
import { startFunction, token, type Answer, type TestFunction } from '../../tests/support/host.ts'
import { until } from '../../tests/support/until.ts'
import ledgerChecks from './ledger-checks.ts'
import resumeLedger from './resume-ledger.ts'
import stopLedger from './stop-ledger.ts'
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
import verifyLedger from './verify-ledger.ts'

/** A stop's life over HTTP: stop-ledger, ledger-checks, resume-ledger, and verify-ledger, which every night
 * checks everything. */

let ledger: TestLedger
let gateway: TestGateway
let functions: Record<'stop' | 'resume' | 'checks' | 'verify', TestFunction>
let tokens: Record<'operator' | 'customer', string>
let from: string
let to: string
const operator = randomUUID()

beforeEach(async () => {
  ledger = await testLedger()
  gateway = await testGateway()
  const env = { LEDGER_DATABASE_URL: ledger.database.url, LOCAL_GATEWAY: gateway.address }
  functions = {
    stop: await startFunction(stopLedger, env),
    resume: await startFunction(resumeLedger, env),
    checks: await startFunction(ledgerChecks, env),
    verify: await startFunction(verifyLedger, env),
  }
  tokens = {
    operator: await token({ userId: operator, role: 'operator' }),
    customer: await token({ userId: alice }),
  }
  from = await ledger.open()
  to = await ledger.open()
  await ledger.post(deposit(from, 900_00), transfer(from, to, 100_00))
})
afterEach(async () => {
  for (const running of Object.values(functions)) await running.stop()
  await gateway.close()
  await ledger.close()
})

interface Sent {
  body?: unknown
  key?: string
  as?: string | null
}

const call = (name: keyof typeof functions, method: string, path: string, { body, key, as }: Sent = {}) =>
  functions[name].request(method, path, {
    ...(as !== null && { token: as ?? tokens.operator }),
    ...(body !== undefined && { body }),
    ...(key && { headers: { 'idempotency-key': key } }),
  })

const stop = (body: object, more: Sent = {}): Promise<Answer> =>
  call('stop', 'POST', '/ledger/stop', { body, ...more })
const resume = (id: string, more: Sent = {}): Promise<Answer> =>
  call('resume', 'POST', '/ledger/resume', { body: { stop_id: id, reason: 'put right' }, ...more })
const prove = (body: object = {}): Promise<Answer> => call('checks', 'POST', '/ledger/verify', { body })
const get = (path: string): Promise<Answer> => call('checks', 'GET', path)
const openStops = async (): Promise<Record<string, unknown>[]> =>
  (await get('/ledger/stops?open=true')).body.items

/** Changes a balance by hand, and lets the guard find it. Returns the stop's id. */
async function breakBooks(by = 5): Promise<string> {
  await changeBalance(by)
  const [found] = await ledger.db.query<{ id: string }>({
    text: 'select id from guard_accounts($1, $2)',
    values: [[from, to], ['USD']],
  })
  return found!.id
}
const changeBalance = (by: number) =>
  ledger.owner.query({ text: 'update accounts set balance = balance + $2 where id = $1', values: [from, by] })
const setStatus = (status: string) =>
  ledger.owner.query({ text: 'update accounts set status = $2 where id = $1', values: [from, status] })
const check = () =>
  ledger.db.query({ text: 'select from guard_accounts($1, $2)', values: [[from, to], ['USD']] })
const ping = (): Promise<Answer> => deliverTick(functions.verify, 'verify-ledger')
const problemOf = ({ status, body }: Answer): [number, string] => [status, body.type?.split('/').at(-1)]
const eventOf = (type: string) =>
  until(() => gateway.events.find(({ headers }) => headers['ce-type'] === type), { what: type })

test('an operator stops a currency by hand and resumes it; both are stated', async () => {
  const stopped = await stop({ currency: 'USD', reason: 'A correction' })
  expect(stopped).toMatchObject({
    status: 201,
    body: { currency: 'USD', reason: 'A correction', stopped_by: operator, evidence: null, lifted_at: null },
  })
  await expect(ledger.post(transfer(from, to, 1))).rejects.toMatchObject({ reply: { status: 503 } })
  expect((await get('/ledger/stops')).body.items).toEqual([stopped.body])

  const { id } = stopped.body
  const resumed = await resume(id)
  expect(resumed).toMatchObject({
    status: 200,
    body: { ...stopped.body, lifted_by: operator, lift_reason: 'put right', lifted_at: expect.any(String) },
  })
  expect((await ledger.post(transfer(from, to, 1)))[0]).toMatchObject({ outcome: 'posted' })
  expect(await openStops()).toEqual([])
  expect((await get('/ledger/stops?open=false')).body.items).toEqual([resumed.body])
  expect((await eventOf('ledger.stopped')).data).toEqual({
    stop_id: id,
    currency: 'USD',
    reason: 'A correction',
    stopped_by: operator,
    timestamp: stopped.body.stopped_at,
  })
  expect((await eventOf('ledger.resumed')).data).toEqual({
    stop_id: id,
    currency: 'USD',
    reason: 'put right',
    resumed_by: operator,
    timestamp: resumed.body.lifted_at,
  })
})

test('without a currency everything stops', async () => {
  const { body } = await stop({ reason: 'Panic' })
  expect(body.currency).toBeNull()
  await expect(ledger.post(transfer(from, to, 1))).rejects.toMatchObject({ reply: { status: 503 } })
  expect((await resume(body.id)).status).toBe(200)
})

test('a stop is not lifted while the books are wrong, and is after they were put right', async () => {
  const id = await breakBooks()
  const key = randomUUID()
  const refused = await resume(id, { key })
  expect(problemOf(refused)).toEqual([409, 'still-broken'])
  expect(refused.body.detail).toContain(`${from} (row)`)
  expect(await openStops()).toMatchObject([
    { id, stopped_by: null, evidence: [{ account_id: from, problem: 'row' }] },
  ])
  const broken = (await eventOf('ledger.broken')).data
  expect(broken).toMatchObject({ stop_id: id, currency: 'USD', accounts: [from] })

  await changeBalance(-5)
  expect((await resume(id, { key })).status).toBe(200)
  expect((await ledger.post(transfer(from, to, 1)))[0]).toMatchObject({ outcome: 'posted' })
  expect(await ledger.faults()).toEqual([])
})

test('a stop is lifted in spite of an account that is frozen, and comes again if it changes or is unfrozen', async () => {
  const id = await breakBooks()
  await setStatus('frozen')
  const { status, body } = await resume(id)
  expect([status, body.accepted]).toMatchObject([200, [{ account_id: from, problem: 'row' }, { sum: '5' }]])
  const other = await ledger.open()
  expect((await ledger.post(deposit(to, 1), transfer(to, other, 1)))[0]).toMatchObject({ outcome: 'posted' })
  // Nothing that is known stops the currency again.
  await check()
  await ping()
  expect(await openStops()).toEqual([])

  await changeBalance(1)
  await check()
  const [again] = await openStops()
  expect(again).toMatchObject({ currency: 'USD', evidence: [{ account_id: from, problem: 'row' }] })
  await setStatus('open')
  expect(problemOf(await resume(String(again!.id)))).toEqual([409, 'still-broken'])
  await setStatus('frozen')
  expect((await resume(String(again!.id))).status).toBe(200)
  await setStatus('open')
  await check()
  expect(await openStops()).toHaveLength(1)
})

test('a hold that ends on a frozen account brings no stop back; another change of what is held does', async () => {
  const hold = placing(from, 40)
  await ledger.post(hold, placing(from, 30))
  const hold5 = () =>
    ledger.owner.query({ text: 'update accounts set held = held + 5 where id = $1', values: [from] })
  await hold5()
  await check()
  await setStatus('frozen')
  const [stopped] = await openStops()
  expect(stopped).toMatchObject({ evidence: [{ problem: 'held', held: '75', excess: '5' }] })
  expect((await resume(String(stopped!.id))).status).toBe(200)

  await ledger.post(ending('release', hold))
  await check()
  await ping()
  expect(await openStops()).toEqual([])
  await hold5()
  await check()
  expect(await openStops()).toMatchObject([{ evidence: [{ problem: 'held', excess: '10' }] }])
})

test('a sum that was accepted once is not, after the account that made it was put right', async () => {
  const sums = () => ledger.db.query({ text: 'select check_totals()' })
  const id = await breakBooks()
  await setStatus('frozen')
  expect((await resume(id)).status).toBe(200)
  await sums()
  expect(await openStops()).toEqual([])
  await changeBalance(-5)
  await setStatus('open')
  await ledger.owner.query({ text: 'update accounts set balance = balance + 5 where id = $1', values: [to] })
  await sums()
  expect(await openStops()).toMatchObject([{ evidence: [{ problem: 'sum', sum: '5' }] }])
})

test('a check that fails keeps no other from its end', async () => {
  await ledger.owner.query({
    text: `create or replace function step_through_hold_entries() returns check_step language plpgsql
      as $$ begin raise 'broken' using errcode = 'data_exception'; end $$`,
  })
  expect((await ping()).status).toBeGreaterThanOrEqual(500)
  const done = await ledger.db.query<{ name: string }>({ text: 'select name from ledger_checks' })
  expect(done.map(({ name }) => name).sort()).toEqual([
    'chains',
    'changes',
    'counts',
    'hold_entries',
    'holds',
    'limits',
    'outflows',
    'reversals',
    'seals',
    'sums',
  ])
})

test('of two who lift a stop at once, one does', async () => {
  const id = await breakBooks()
  await changeBalance(-5)
  const answers = await Promise.all([resume(id), resume(id), resume(id)])
  expect(answers.map(problemOf).sort()).toEqual([
    [200, undefined],
    [409, 'stop-lifted'],
    [409, 'stop-lifted'],
  ])
})

test('the same key gives the same answer, also at once', async () => {
  const key = randomUUID()
  const first = await stop({ currency: 'USD', reason: 'A correction' }, { key })
  const second = await stop({ currency: 'USD', reason: 'A correction' }, { key })
  expect([second.status, second.body]).toEqual([201, first.body])
  expect(await openStops()).toHaveLength(1)
  expect((await stop({ currency: 'EUR', reason: 'A correction' }, { key })).status).toBe(422)
  const other = randomUUID()
  const atOnce = await Promise.all([1, 2, 3].map(() => resume(first.body.id, { key: other })))
  for (const { status } of atOnce) expect([200, 409]).toContain(status)
  expect((await resume(first.body.id, { key: other })).status).toBe(200)
})

test('only operators may', async () => {
  const id = await breakBooks()
  const requests: [keyof typeof functions, string, string, object?][] = [
    ['stop', 'POST', '/ledger/stop', { reason: 'x' }],
    ['resume', 'POST', '/ledger/resume', { stop_id: id, reason: 'x' }],
    ['checks', 'GET', '/ledger/stops'],
    ['checks', 'GET', '/ledger/verify'],
    ['checks', 'POST', '/ledger/verify', {}],
    ['checks', 'GET', '/ledger/invariants'],
  ]
  for (const [name, method, path, body] of requests) {
    expect((await call(name, method, path, { body, as: null })).status).toBe(401)
    expect((await call(name, method, path, { body, as: tokens.customer })).status).toBe(403)
  }
  expect(await openStops()).toHaveLength(1)
})

test.each([
  [{}],
  [{ reason: '' }],
  [{ reason: '   ' }],
  [{ reason: 'a\u0000b' }],
  [{ reason: 'x'.repeat(501) }],
  [{ reason: 'x', currency: 'usd' }],
  [{ reason: 'x', currency: 'XXX' }],
  [{ reason: 'x', accounts: [] }],
])('%j stops nothing', async (body) => {
  expect((await stop(body)).status).toBe(400)
  expect(await openStops()).toEqual([])
})

test('a stop that does not exist, and a bad id', async () => {
  expect((await resume(randomUUID())).status).toBe(404)
  expect((await resume('no id')).status).toBe(400)
})

test('the night’s check is stated with its figures, once a night', async () => {
  const before = (await get('/ledger/verify')).body
  expect(before).toMatchObject({ ok: null, open_stops: 0, chains: { ok: null, checked_at: null } })
  expect((await ping()).status).toBe(204)
  expect((await ping()).status).toBe(204)
  const { data } = await eventOf('ledger.verified')
  const currencies = [{ currency: 'USD', accounts: 3, balance_sum: '0.00' }]
  expect(data).toMatchObject({ ok: true, open_stops: 0, accounts: 3, entries: 4, faults: 0, currencies })
  const events = await ledger.db.query({ text: `select from outbox where type = 'ledger.verified'` })
  expect(events).toHaveLength(1)

  const { body } = await get('/ledger/verify')
  expect(body.chains).toMatchObject({ ok: true, figures: { accounts: 3, entries: 4, faults: 0 } })
  expect(body.sums.figures).toEqual({ currencies: [{ currency: 'USD', accounts: 3, sum: '0.00', ok: true }] })
  expect(body.counts.figures).toEqual({ currencies: [{ currency: 'USD', transactions: 2, entries: 4 }] })
  expect(body.holds.figures).toEqual({ open: 0, faults: 0 })
})

test('an operator has all books checked now, and once is enough', async () => {
  const proven = await prove()
  expect(proven).toMatchObject({ status: 200, body: { is_complete: true } })
  const { since } = proven.body as { since: string }
  const found = async () => (await get('/ledger/verify')).body
  const before = await found()
  expect(before).toMatchObject({ ok: true, open_stops: 0, chains: { ok: true, figures: { entries: 4 } } })
  expect(before.chains.checked_at >= since && before.sums.checked_at >= since).toBe(true)
  expect((await prove({ since })).body).toEqual({ since, is_complete: true })
  expect(await found()).toEqual(before)

  await changeBalance(5)
  expect((await prove()).body.is_complete).toBe(true)
  expect(await found()).toMatchObject({ ok: false, balances: { ok: false } })
  expect(await openStops()).toContainEqual(expect.objectContaining({ currency: 'USD', stopped_by: null }))
})

test('a proof needs a moment that has been, and leaves a check to the process that is at it', async () => {
  for (const since of ['2999-01-01T00:00:00Z', '2026-06-30T23:59:60Z', 'now', 1])
    expect([since, (await prove({ since })).status]).toEqual([since, 400])
  expect((await get('/ledger/verify')).body.ok).toBeNull()
  await ledger.owner.query({ text: 'begin' })
  await ledger.owner.query({ text: `select from check_walks where name = 'balances' for update` })
  const { since, is_complete: isComplete } = (await prove()).body
  expect(isComplete).toBe(false)
  await ledger.owner.query({ text: 'commit' })
  expect((await prove({ since })).body.is_complete).toBe(true)
})

test('whoever is signed in sees which currencies are stopped, since when and why in a word, and no more', async () => {
  const status = async (as = tokens.customer) =>
    (await call('checks', 'GET', '/ledger/status', { as })).body.items
  await ledger.open({ currency: 'EUR' })
  const running = { status: 'running', since: null, reason: null }
  const both = ['EUR', 'USD'].map((currency) => ({ currency, ...running }))
  expect([await status(), await status(tokens.operator)]).toEqual([both, both])
  expect((await call('checks', 'GET', '/ledger/status', { as: null })).status).toBe(401)

  const id = await breakBooks()
  const since = (await openStops())[0]!.stopped_at
  const broken = { currency: 'USD', status: 'stopped', since, reason: 'being-checked' }
  expect(await status()).toEqual([both[0], broken])
  const { body } = await stop({ reason: 'Ada Lovelace called' })
  const stoppedAt = body.stopped_at as string
  expect(await status()).toEqual([
    { currency: 'EUR', status: 'stopped', since: stoppedAt, reason: 'stopped-by-bank' },
    broken,
  ])
  await changeBalance(-5)
  for (const stopped of [id, String(body.id)]) await resume(stopped)
  expect(await status()).toEqual(both)
})

test('the invariants say what the checks and the stops say', async () => {
  await ping()
  const idsOf = async () =>
    (await get('/ledger/invariants')).body.items.map(({ id, ok }: { id: string; ok: boolean | null }) => [
      id,
      ok,
    ])
  // What has changed since then was not swept yet.
  expect(await idsOf()).toEqual([
    ['M', true],
    ['N', true],
    ['B', null],
  ])
  const id = await breakBooks()
  expect(await idsOf()).toContainEqual(['B', false])
  const { body } = await get('/ledger/verify')
  expect([body.ok, body.open_stops, body.balances.ok]).toEqual([false, 1, false])
  await changeBalance(-5)
  await resume(id)
  expect((await get('/ledger/invariants')).body).toMatchObject({ open_stops: 0 })
})
