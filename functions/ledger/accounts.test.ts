import { randomUUID } from 'node:crypto'
import {
  startFunction,
  token,
  type Answer,
  type RequestOptions,
  type TestFunction,
} from '../../tests/support/host.ts'
import { until } from '../../tests/support/until.ts'
import accounts from './accounts.ts'
import { testGateway, type TestGateway } from './testing/gateway-fixture.ts'
import { alice, deposit, testLedger, type TestLedger } from './testing/ledger-fixture.ts'
import openAccount from './open-account.ts'
import { hasCheckDigits } from './values/account-number.ts'

const bob = randomUUID()
let ledger: TestLedger
let gateway: TestGateway
let opening: TestFunction
let showing: TestFunction
let tokens: Record<'alice' | 'bob' | 'operator', string>

beforeAll(async () => {
  ledger = await testLedger()
  gateway = await testGateway()
  const env = { LEDGER_DATABASE_URL: ledger.database.url, LOCAL_GATEWAY: gateway.address }
  opening = await startFunction(openAccount, env)
  showing = await startFunction(accounts, env)
  tokens = {
    alice: await token({ userId: alice }),
    bob: await token({ userId: bob }),
    operator: await token({ userId: randomUUID(), role: 'operator' }),
  }
  gateway.users.add(alice).add(bob)
})

afterAll(async () => {
  await opening.stop()
  await showing.stop()
  await gateway.close()
  await ledger.close()
})

const open = (who: keyof typeof tokens, body: object, options: RequestOptions = {}): Promise<Answer> =>
  opening.request('POST', '/accounts', { token: tokens[who], body, ...options })

const get = (who: keyof typeof tokens, path: string): Promise<Answer> =>
  showing.request('GET', path, { token: tokens[who] })

describe('opening an account', () => {
  test('customers open one for themselves, with a balance of zero', async () => {
    const answer = await open('alice', { account_type: 'savings' })
    expect(answer.status).toBe(201)
    expect(answer.headers.get('location')).toBe(`/api/accounts/${answer.body.id}`)
    expect(answer.body).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      user_id: alice,
      number: expect.stringMatching(/^[1-9]\d{11}$/),
      name: null,
      account_type: 'savings',
      currency: 'USD',
      status: 'open',
      balance: '0.00',
      held: '0.00',
      available: '0.00',
      overdraft_limit: '0.00',
      created_at: expect.stringMatching(/Z$/),
    })
    const event = await until(() => gateway.events.find(({ data }) => data.account_id === answer.body.id))
    expect(event.headers['ce-type']).toBe('account.opened')
    expect((await get('alice', `/accounts/${answer.body.id}`)).body).toEqual(answer.body)
  })

  test('an operator opens one for a user, with a deposit and an overdraft limit', async () => {
    const answer = await open('operator', {
      account_type: 'checking',
      currency: 'JPY',
      user_id: bob,
      balance: '1000',
      overdraft_limit: 50,
    })
    expect(answer).toMatchObject({
      status: 201,
      body: { user_id: bob, balance: '1000', available: '1050', overdraft_limit: '50' },
    })
    expect((await get('bob', `/accounts/${answer.body.id}`)).body).toEqual(answer.body)
    const types = (): unknown[] =>
      gateway.events
        .filter(({ data }) => data.account_id === answer.body.id)
        .map(({ headers }) => headers['ce-type'])
        .sort()
    await until(() => types().length === 2, { what: 'both events' })
    expect(types()).toEqual(['account.opened', 'transaction.completed'])
    expect(await ledger.faults()).toEqual([])
  })

  test('an account can have a name, and has a number of its own, also if it is drawn twice', async () => {
    const named = await open('alice', { account_type: 'checking', name: 'Holidays 🏖' })
    expect(named).toMatchObject({ status: 201, body: { name: 'Holidays 🏖' } })
    for (const name of ['', ' ', 'a'.repeat(61), 'x\u202E', 7, null])
      expect(await open('alice', { account_type: 'checking', name })).toMatchObject({ status: 400 })
    const numbers = await ledger.db.transaction((tx) =>
      tx.query<{ number: bigint }>({
        text: `select (open_account($1, 'checking', 'USD', 0, 1, 1, 100)).account.number, setseed(0.5)
          from generate_series(1, 3)`,
        values: [randomUUID()],
      }),
    )
    expect(new Set(numbers.map(({ number }) => number)).size).toBe(3)
    for (const { number } of numbers) expect(hasCheckDigits(String(number))).toBe(true)
    expect(hasCheckDigits(named.body.number as string)).toBe(true)
  })

  test.each([[{ user_id: alice }], [{ balance: 0 }], [{ overdraft_limit: 0 }]])(
    'a customer may not give %j',
    async (field) => {
      const answer = await open('alice', { account_type: 'checking', ...field })
      expect(answer).toMatchObject({
        status: 403,
        body: { detail: expect.stringContaining(Object.keys(field)[0]!) },
      })
    },
  )

  test('an operator must say for whom, and it must be a user', async () => {
    expect(await open('operator', { account_type: 'checking' })).toMatchObject({
      status: 400,
      body: { errors: [{ path: '/user_id' }] },
    })
    const answer = await open('operator', { account_type: 'checking', user_id: randomUUID() })
    expect(answer).toMatchObject({ status: 422, body: { type: expect.stringContaining('user-unknown') } })
  })

  test.each([
    ['without a type', {}],
    ['of another type', { account_type: 'cash' }],
    ['in an unknown currency', { account_type: 'checking', currency: 'ABC' }],
    ['with an unknown field', { account_type: 'checking', status: 'open' }],
  ])('%s is invalid', async (_name, body) => {
    expect(await open('alice', body)).toMatchObject({ status: 400 })
  })

  test('the same key opens one account and deposits once', async () => {
    const headers = { 'idempotency-key': randomUUID() }
    const body = { account_type: 'checking', user_id: bob, balance: 7 }
    const first = await open('operator', body, { headers })
    const second = await open('operator', body, { headers })
    expect([second.status, second.body]).toEqual([first.status, first.body])
    expect(second.headers.get('idempotency-replayed')).toBe('true')
    expect(await open('operator', { ...body, balance: 8 }, { headers })).toMatchObject({ status: 422 })
    expect(await ledger.balances(first.body.id)).toEqual([7_00n])
  })

  test('the first accounts of a currency, opened at the same moment, share one cash account', async () => {
    const body = { account_type: 'checking', currency: 'NOK', user_id: bob, balance: 10 }
    const answers = await Promise.all(Array.from({ length: 8 }, () => open('operator', body)))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]))
    const cash = await ledger.db.query({
      text: `select balance from accounts where kind = 'system' and currency = 'NOK'`,
    })
    expect(cash).toEqual([{ balance: -80_00n }])
  })
})

describe('showing accounts', () => {
  test('another user’s account is answered as if it did not exist; to everybody, so are the bank’s own', async () => {
    const id = await ledger.open()
    const cash = '00000000-0000-7000-8000-000000555344'
    for (const path of [
      `/accounts/${id}`,
      `/accounts/${id}/balance`,
      '/accounts/x',
      `/accounts/${randomUUID()}`,
    ])
      expect(await get('bob', path)).toMatchObject({ status: 404 })
    expect(await get('operator', `/accounts/${id}`)).toMatchObject({ status: 200 })
    for (const who of ['bob', 'operator'] as const)
      expect(await get(who, `/accounts/${cash}`)).toMatchObject({ status: 404 })
  })

  test('the list has pages, newest first, and customers see only their own accounts', async () => {
    const carol = randomUUID()
    const mine: string[] = []
    for (let i = 0; i < 5; i++) mine.unshift(await ledger.open({ userId: carol }))
    const bearer = await token({ userId: carol })
    const found: string[] = []
    let cursor = ''
    do {
      const { body } = await showing.request('GET', `/accounts?limit=2${cursor}`, { token: bearer })
      found.push(...body.items.map(({ id }: { id: string }) => id))
      cursor = body.next_cursor && `&cursor=${body.next_cursor}`
    } while (cursor)
    expect(found).toEqual(mine)
    const others = await showing.request('GET', `/accounts?user_id=${alice}`, { token: bearer })
    expect(others.status).toBe(404)
  })

  test('an operator finds the accounts of a user by their status', async () => {
    const dora = randomUUID()
    const [open, frozen] = [await ledger.open({ userId: dora }), await ledger.open({ userId: dora })]
    await ledger.setStatus(frozen!, 'frozen')
    const ids = async (query: string): Promise<string[]> =>
      (await get('operator', `/accounts?user_id=${dora}${query}`)).body.items.map(
        ({ id }: { id: string }) => id,
      )
    expect(await ids('')).toEqual([frozen, open])
    expect(await ids('&status=open&limit=1')).toEqual([open])
    expect(await ids('&status=frozen')).toEqual([frozen])
    expect(await ids('&status=closed')).toEqual([])
  })

  test('an operator finds an account by its number, which is in the audit; customers only their own', async () => {
    const mine = await ledger.open({ userId: bob })
    const { number } = (await get('bob', `/accounts/${mine}`)).body
    const found = await get('operator', `/accounts?number=${number}`)
    expect([found.body.items.map(({ id }: { id: string }) => id), found.body.next_cursor]).toEqual([
      [mine],
      null,
    ])
    expect((await get('bob', `/accounts?number=${number}`)).body.items).toHaveLength(1)
    expect((await get('alice', `/accounts?number=${number}`)).body.items).toEqual([])
    for (const query of [`user_id=${alice}`, 'status=closed'])
      expect((await get('operator', `/accounts?number=${number}&${query}`)).body.items).toEqual([])
    expect((await get('operator', '/accounts?number=100000000000')).body.items).toEqual([])
    const audit = await ledger.owner.query({
      text: `select subject, owner_id from audit where route = 'GET /accounts' and details ->> 'number' = $1
        order by id`,
      values: [number],
    })
    expect(audit[0]).toEqual({ subject: mine, owner_id: bob })
  })

  test('a balance of the past is the one after the last entry until then', async () => {
    const id = await ledger.open({ overdraftLimit: 5_00n })
    const outcomes = [...(await ledger.post(deposit(id, 10_00))), ...(await ledger.post(deposit(id, 1_00)))]
    const [first] = outcomes.map((outcome) => (outcome as { postedAt: Date }).postedAt.toISOString())
    expect((await get('alice', `/accounts/${id}/balance`)).body).toMatchObject({
      balance: '11.00',
      available: '16.00',
    })
    const then = await get('alice', `/accounts/${id}/balance?as_of=2020-01-01T00:00:00%2B01:00`)
    expect(then.body).toEqual({ balance: '0.00', available: null, as_of: '2019-12-31T23:00:00.000Z' })
    const { body } = await get('alice', `/accounts/${id}/balance?as_of=${first}`)
    expect(['10.00', '11.00']).toContain(body.balance)
    for (const wrong of ['tomorrow', '2999-01-01T00:00:00Z', '2016-12-31T23:59:60Z', '0000-01-01T00:00:00Z'])
      expect(await get('alice', `/accounts/${id}/balance?as_of=${wrong}`)).toMatchObject({ status: 400 })
  })

  test.each(['limit=0', 'limit=201', 'cursor=x', 'status=lost', 'color=red', 'user_id=1', 'number=12'])(
    'a query of %s is invalid',
    async (query) => {
      expect(await get('operator', `/accounts?${query}`)).toMatchObject({ status: 400 })
    },
  )
})
