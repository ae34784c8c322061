import { randomUUID } from 'node:crypto'
import { deliverTick } from '../../tests/support/events.ts'
import { startFunction, token, type Answer, type TestFunction } from '../../tests/support/host.ts'
import { until } from '../../tests/support/until.ts'
import captureHold from './capture-hold.ts'
import holds from './holds.ts'
import placeHold from './place-hold.ts'
import releaseHold from './release-hold.ts'
import sweepLedger from './sweep-ledger.ts'
import { testGateway, type ReceivedEvent, type TestGateway } from './testing/gateway-fixture.ts'
import { alice, deposit, placing, testLedger, type TestLedger } from './testing/ledger-fixture.ts'

const bob = randomUUID()
const operator = randomUUID()
let ledger: TestLedger
let gateway: TestGateway
let functions: Record<'place' | 'capture' | 'release' | 'holds' | 'sweep', TestFunction>
let tokens: Record<'alice' | 'bob' | 'operator', string>
let from: string
let to: string

beforeAll(async () => {
  ledger = await testLedger()
  gateway = await testGateway()
  const env = { LEDGER_DATABASE_URL: ledger.database.url, LOCAL_GATEWAY: gateway.address }
  functions = {
    place: await startFunction(placeHold, env),
    capture: await startFunction(captureHold, env),
    release: await startFunction(releaseHold, env),
    holds: await startFunction(holds, env),
    sweep: await startFunction(sweepLedger, env),
  }
  tokens = {
    alice: await token({ userId: alice }),
    bob: await token({ userId: bob }),
    operator: await token({ userId: operator, role: 'operator' }),
  }
})

afterAll(async () => {
  for (const running of Object.values(functions)) await running.stop()
  expect(await ledger.faults()).toEqual([])
  await gateway.close()
  await ledger.close()
})

beforeEach(async () => {
  from = await ledger.open()
  to = await ledger.open({ userId: bob })
  await ledger.post(deposit(from, 900_00))
  gateway.events.length = 0
})

type Who = keyof typeof tokens

const post = (
  name: 'place' | 'capture' | 'release',
  path: string,
  body: unknown,
  { who = 'alice', key }: { who?: Who; key?: string } = {},
): Promise<Answer> =>
  functions[name].request('POST', path, {
    token: tokens[who],
    body,
    headers: key ? { 'idempotency-key': key } : {},
  })

const place = (amount: unknown, more: object = {}, options = {}): Promise<Answer> =>
  post('place', '/holds', { account_id: from, amount, ...more }, options)

const capture = (id: string, body: object = { to_account_id: to }, options = {}): Promise<Answer> =>
  post('capture', `/holds/${id}/capture`, body, options)

const release = (id: string, options = {}): Promise<Answer> =>
  post('release', `/holds/${id}/release`, {}, options)

const get = (path: string, who: Who = 'alice'): Promise<Answer> =>
  functions.holds.request('GET', path, { token: tokens[who] })

/** Resolves with an event about a hold or a transaction. Late ones of other tests may come, too. */
const eventOf = (type: string, id: string): Promise<ReceivedEvent> =>
  until(
    () =>
      gateway.events.find(
        ({ headers, data }) =>
          headers['ce-type'] === type && [data.hold_id, data.transaction_id].includes(id),
      ),
    { what: type },
  )

const named = ({ status, body }: Answer): unknown[] => [status, String(body.type).split('/').at(-1)]

describe('a hold', () => {
  test('is answered with what is held, shown, and told by an event', async () => {
    const answer = await place('80.00', { description: 'Hotel Adler', expires_in: 60 })
    expect(answer.status).toBe(201)
    expect(answer.headers.get('location')).toBe(`/api/holds/${answer.body.id}`)
    expect(answer.body).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      account_id: from,
      amount: '80.00',
      currency: 'USD',
      status: 'open',
      description: 'Hotel Adler',
      captured: null,
      transaction_id: null,
      placed_by: alice,
      via: null,
      created_at: expect.stringMatching(/Z$/),
      expires_at: expect.stringMatching(/Z$/),
      ended_at: null,
    })
    expect(Date.parse(answer.body.expires_at) - Date.parse(answer.body.created_at)).toBe(60_000)
    expect((await get(`/holds/${answer.body.id}`)).body).toEqual(answer.body)
    const { data } = await eventOf('hold.placed', answer.body.id)
    expect(data).toMatchObject({ hold_id: answer.body.id, user_id: alice, amount: '80.00' })
  })

  test('is captured in part: answered with the transfer, told by two events', async () => {
    const hold = (await place(80)).body
    const answer = await capture(hold.id, { to_account_id: to, amount: '60.00' })
    expect(answer).toMatchObject({
      status: 201,
      body: { type: 'transfer', amount: '60.00', account_id: from, to_account_id: to, hold_id: hold.id },
    })
    expect((await get(`/holds/${hold.id}`)).body).toMatchObject({
      status: 'captured',
      captured: '60.00',
      transaction_id: answer.body.id,
    })
    const captured = await eventOf('hold.captured', hold.id)
    expect(captured.data).toMatchObject({ amount: '60.00', released: '20.00' })
    const completed = await eventOf('transaction.completed', answer.body.id)
    expect(completed.data).toMatchObject({ to_new_balance: '60.00' })
    expect(await ledger.balances(from, to)).toEqual([840_00n, 60_00n])
  })

  test('is released: answered with the hold, told by an event', async () => {
    const hold = (await place(900)).body
    const answer = await release(hold.id)
    expect(answer.status).toBe(200)
    expect(answer.body).toEqual({ ...hold, status: 'released', ended_at: expect.stringMatching(/Z$/) })
    expect((await get(`/holds/${hold.id}`)).body).toEqual(answer.body)
    await eventOf('hold.released', hold.id)
    expect((await place(900)).status).toBe(201)
  })

  test('of nearly all the money leaves nothing to hold', async () => {
    expect((await place(900)).status).toBe(201)
    expect(named(await place('0.01'))).toEqual([409, 'insufficient-funds'])
  })

  test('that has ended is refused by the name of its end', async () => {
    const [captured, released] = [(await place(1)).body.id, (await place(1)).body.id]
    await capture(captured)
    await release(released)
    expect(
      await Promise.all([capture(captured), release(released)].map(async (a) => named(await a))),
    ).toEqual([
      [409, 'hold-captured'],
      [409, 'hold-released'],
    ])
    expect(named(await capture((await place(5)).body.id, { to_account_id: to, amount: '5.01' }))).toEqual([
      409,
      'more-than-held',
    ])
  })

  test.each([
    ['a body without an amount', {}, '/amount'],
    ['an amount that is none', { amount: '-1' }, '/amount'],
    ['a time of zero seconds', { amount: 1, expires_in: 0 }, '/expires_in'],
    ['more than a year', { amount: 1, expires_in: 40_000_000 }, '/expires_in'],
    ['a field that it does not have', { amount: 1, hold_id: randomUUID() }, '/hold_id'],
  ])('is refused for %s', async (_what, body, path) => {
    const answer = await post('place', '/holds', { account_id: from, ...body })
    expect([answer.status, answer.body.errors[0].path]).toEqual([400, path])
  })

  test('of another customer is as if it were not there', async () => {
    const { id } = (await place(10)).body
    expect(named(await place(1, {}, { who: 'bob' }))).toEqual([404, 'account-not-found'])
    expect(named(await capture(id, { to_account_id: to }, { who: 'bob' }))).toEqual([404, 'hold-not-found'])
    expect(named(await release(id, { who: 'bob' }))).toEqual([404, 'hold-not-found'])
    expect(named(await get(`/holds/${id}`, 'bob'))).toEqual([404, 'hold-not-found'])
    expect(named(await get(`/holds?account_id=${from}`, 'bob'))).toEqual([404, 'account-not-found'])
    expect((await get('/holds', 'bob')).body.items).toEqual([])
  })

  test('that an operator placed is theirs to end', async () => {
    const { id, placed_by: by } = (await place(10, {}, { who: 'operator' })).body
    expect(by).toBe(operator)
    expect(named(await release(id))).toEqual([403, 'hold-not-yours'])
    expect(named(await capture(id))).toEqual([403, 'hold-not-yours'])
    expect((await release(id, { who: 'operator' })).status).toBe(200)
  })

  test('needs a token at every step', async () => {
    const { id } = (await place(10)).body
    const bare = [
      functions.place.request('POST', '/holds', { body: { account_id: from, amount: 1 } }),
      functions.capture.request('POST', `/holds/${id}/capture`, { body: { to_account_id: to } }),
      functions.release.request('POST', `/holds/${id}/release`, { body: {} }),
      functions.holds.request('GET', '/holds'),
      functions.holds.request('GET', `/holds/${id}`),
    ]
    for (const answer of await Promise.all(bare)) expect(answer.status).toBe(401)
  })
})

describe('repeated with its key', () => {
  const sameAnswer = (answers: Answer[]): void => {
    expect(new Set(answers.map(({ status, body }) => JSON.stringify([status, body]))).size).toBe(1)
    const fresh = answers.filter(({ headers }) => headers.get('idempotency-replayed') === null)
    expect(fresh).toHaveLength(1)
  }

  test('at once and later, each step has one effect and one answer', async () => {
    const key = randomUUID()
    const placed = await Promise.all([1, 2, 3].map(() => place('100.00', {}, { key })))
    placed.push(await place('100.00', {}, { key }))
    sameAnswer(placed)
    const { id } = placed[0]!.body
    sameAnswer(
      await Promise.all([1, 2, 3].map(() => capture(id, { to_account_id: to }, { key: `capture-${key}` }))),
    )
    expect(await ledger.balances(from, to)).toEqual([800_00n, 100_00n])
    const second = (await place(5)).body.id
    sameAnswer(await Promise.all([1, 2, 3].map(() => release(second, { key: `release-${key}` }))))
    // Also after the hold has ended: the first answer was about an open one.
    placed.push(await place('100.00', {}, { key }))
    sameAnswer(placed)
  })

  test('with another body is refused', async () => {
    const key = randomUUID()
    await place(1, {}, { key })
    expect(named(await place(2, {}, { key }))).toEqual([422, 'idempotency-key-reused'])
  })
})

test('captures of one hold from many sides move its money once', async () => {
  const { id } = (await place(100)).body
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, n) => (n % 4 === 3 ? release(id) : capture(id))),
  )
  const done = answers.filter(({ status }) => status < 300)
  expect(done).toHaveLength(1)
  for (const answer of answers) if (!done.includes(answer)) expect(answer.status).toBe(409)
  const [balance] = await ledger.balances(to)
  expect(balance).toBe(done[0]!.status === 201 ? 100_00n : 0n)
})

test('a list is paged, newest first, and filtered by account and status', async () => {
  const ids: string[] = []
  for (let n = 1; n <= 5; n++) ids.unshift((await place(n)).body.id)
  await release(ids[1]!)
  const first = await get(`/holds?account_id=${from}&limit=3`)
  expect(first.body.items.map((hold: { id: string }) => hold.id)).toEqual(ids.slice(0, 3))
  const rest = await get(`/holds?account_id=${from}&limit=3&cursor=${first.body.next_cursor}`)
  expect(rest.body.items.map((hold: { id: string }) => hold.id)).toEqual(ids.slice(3))
  expect(rest.body.next_cursor).toBeNull()
  const released = await get(`/holds?account_id=${from}&status=released`, 'operator')
  expect(released.body.items.map((hold: { id: string }) => hold.id)).toEqual([ids[1]])
})

test('an operator lists the holds of a user, which is in the audit; another customer is not there', async () => {
  const theirs = await ledger.open({ userId: bob })
  await ledger.post(deposit(theirs, 50_00, { caller_id: bob }))
  const placed = await place(5, { account_id: theirs }, { who: 'bob' })
  expect(placed.status).toBe(201)
  const { id } = placed.body
  await place(6)
  const listed = await get(`/holds?user_id=${bob}&status=open`, 'operator')
  expect(listed.body.items.map((hold: { id: string }) => hold.id)).toEqual([id])
  expect((await get(`/holds?user_id=${bob}`, 'bob')).body).toMatchObject({ items: [{ id }] })
  expect((await get(`/holds?user_id=${bob}`)).status).toBe(404)
  expect((await get('/holds?user_id=x', 'operator')).status).toBe(400)
  const audit = await ledger.owner.query({
    text: `select caller_id, outcome from audit where route = 'GET /holds' and owner_id = $1`,
    values: [bob],
  })
  expect(audit).toEqual([{ caller_id: operator, outcome: 'read' }])
})

test('PingSource ends holds that are due, and tells so', async () => {
  const hold = placing(from, 100_00, { expires_in: 1 })
  await ledger.post(hold)
  await until(
    async () => {
      expect((await deliverTick(functions.sweep, 'sweep-ledger')).status).toBe(204)
      return (await get(`/holds/${hold.id}`)).body.status === 'expired'
    },
    { what: 'the hold to expire', everyMs: 200 },
  )
  expect((await eventOf('hold.expired', hold.id)).data).toMatchObject({ amount: '100.00' })
  expect((await place(900)).status).toBe(201)
})
