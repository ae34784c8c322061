import { randomUUID } from 'node:crypto'
import { startFunction, token, type Answer, type TestFunction } from '../../tests/support/host.ts'
import {
  alice,
  deposit,
  testLedger,
  traceparent,
  transfer,
  withdrawal,
  type TestLedger,
} from './testing/ledger-fixture.ts'
import transactions from './transactions.ts'

const bob = randomUUID()
let ledger: TestLedger
let running: TestFunction
let tokens: Record<'alice' | 'bob' | 'operator' | 'stranger', string>
/** Alice has two accounts, Bob has one. `posted` are their transactions, oldest first. */
let checking: string, savings: string, bobs: string
let posted: string[]

beforeAll(async () => {
  ledger = await testLedger()
  running = await startFunction(transactions, { LEDGER_DATABASE_URL: ledger.database.url })
  tokens = {
    alice: await token({ userId: alice }),
    bob: await token({ userId: bob }),
    operator: await token({ userId: randomUUID(), role: 'operator' }),
    stranger: await token({ userId: randomUUID() }),
  }
  ;[checking, savings, bobs] = [await ledger.open(), await ledger.open(), await ledger.open({ userId: bob })]
  const requests = [
    deposit(checking, 900_00),
    transfer(checking, savings, 100_00),
    transfer(checking, bobs, 50_00, { description: 'lunch' }),
    withdrawal(savings, 20_00),
    deposit(bobs, 1_00, { caller_id: bob }),
  ]
  for (const request of requests) await ledger.post(request)
  posted = requests.map(({ id }) => id)
  // A stranger's attempt on Alice's account appears only in the stranger's list.
  await ledger.post(
    transfer(checking, bobs, 1, { id: randomUUID(), requested: true, caller_id: randomUUID() }),
  )
})

afterAll(async () => {
  await running.stop()
  await ledger.close()
})

const get = (who: keyof typeof tokens, path: string): Promise<Answer> =>
  running.request('GET', path, { token: tokens[who] })

const numbers = async (who: keyof typeof tokens, query = ''): Promise<number[]> =>
  (await get(who, `/transactions${query}`)).body.items.map(({ id }: { id: string }) => posted.indexOf(id))

test('customers see the transactions that touch any of their accounts, newest first and each once', async () => {
  expect(await numbers('alice')).toEqual([3, 2, 1, 0])
  expect(await numbers('bob')).toEqual([4, 2])
  expect(await numbers('stranger')).toEqual([])
})

test('the list of one account has the money that came in and the money that went out', async () => {
  expect(await numbers('alice', `?account_id=${savings}`)).toEqual([3, 1])
  expect(await numbers('operator', `?account_id=${bobs}`)).toEqual([4, 2])
  expect(await get('bob', `/transactions?account_id=${savings}`)).toMatchObject({ status: 404 })
})

test('an operator sees all transactions', async () => {
  expect(await numbers('operator', '?status=completed')).toEqual([4, 3, 2, 1, 0])
  expect(await numbers('operator', '?status=rejected')).toEqual([-1])
})

test('the filters apply to every list', async () => {
  expect(await numbers('alice', '?type=transfer')).toEqual([2, 1])
  expect(await numbers('operator', '?type=deposit')).toEqual([4, 0])
  expect(await numbers('alice', '?status=pending')).toEqual([])
  const { timestamp } = (await get('alice', `/transactions/${posted[2]}`)).body
  for (const list of ['alice', 'operator'] as const) {
    const since = await numbers(list, `?from=${timestamp}`)
    const until = await numbers(list, `?to=${timestamp}`)
    expect(since).toContain(2)
    expect(until).not.toContain(2)
  }
})

test.each(['', '&type=transfer'])(
  'pages of a list follow each other without gap or overlap%s',
  async (filter) => {
    for (const who of ['alice', 'operator'] as const) {
      const whole = await numbers(who, `?limit=200${filter}`)
      const paged: number[] = []
      let cursor: string | null = ''
      do {
        const { body } = await get(who, `/transactions?limit=1${filter}${cursor && `&cursor=${cursor}`}`)
        paged.push(...body.items.map(({ id }: { id: string }) => posted.indexOf(id)))
        cursor = body.next_cursor as string | null
      } while (cursor)
      expect(paged).toEqual(whole)
    }
  },
)

test('both sides and operators see a transaction; of the two sides, only the payer sees the balance', async () => {
  const path = `/transactions/${posted[2]}`
  expect((await get('alice', path)).body).toMatchObject({ amount: '50.00', balance_after: '750.00' })
  expect((await get('bob', path)).body).toMatchObject({ description: 'lunch', balance_after: null })
  expect((await get('operator', path)).body).toMatchObject({ balance_after: '750.00' })
  expect(await get('stranger', path)).toMatchObject({ status: 404 })
  expect(await get('alice', '/transactions/1')).toMatchObject({ status: 404 })
})

test('one transaction has its event, its trace and the other side; only the payer sees the trace', async () => {
  const path = `/transactions/${posted[2]}`
  const numbers = await ledger.db.query<{ number: bigint }>({
    text: 'select number from accounts where id in ($1, $2) order by id = $2',
    values: [checking, bobs],
  })
  const [from, to] = numbers.map(({ number }) => ({ number: String(number), name: null }))
  const [event] = await ledger.db.query<{ id: string }>({
    text: `select id from events where subject = $1`,
    values: [posted[2]],
  })
  const common = { event_id: event!.id, refusal: null }
  const trace_id = traceparent.slice(3, 35)
  for (const who of ['alice', 'operator'] as const)
    expect((await get(who, path)).body).toMatchObject({ ...common, trace_id, counterparty: to })
  expect((await get('bob', path)).body).toMatchObject({ ...common, trace_id: null, counterparty: from })
  expect((await get('alice', `/transactions/${posted[0]}`)).body.counterparty).toBeNull()
  await ledger.db.query({ text: `select rename_account($1, null, 'Rainy days')`, values: [savings] })
  expect((await get('alice', `/transactions/${posted[1]}`)).body.counterparty.name).toBe('Rainy days')
  await ledger.db.query({ text: `select rename_account($1, null, 'Bob only')`, values: [bobs] })
  expect((await get('alice', path)).body.counterparty.name).toBeNull()
})

test('a refused order says why, and which event told it; a pending one has none yet', async () => {
  const refused = transfer(checking, savings, 10n ** 9n, { requested: true })
  await ledger.post(refused)
  const shown = (await get('alice', `/transactions/${refused.id}`)).body
  expect(shown).toMatchObject({ status: 'rejected', refusal: 'insufficient-funds' })
  expect(
    await ledger.db.query({ text: 'select type from events where id = $1', values: [shown.event_id] }),
  ).toEqual([{ type: 'transaction.rejected' }])
  const pending = transfer(checking, savings, 1_00)
  await ledger.order(pending)
  expect((await get('alice', `/transactions/${pending.id}`)).body).toMatchObject({
    ...{ status: 'pending', refusal: null, event_id: null },
  })
  await ledger.post({ ...pending, requested: true })
})

test('an order that is not posted yet is in the lists of the user who requested it', async () => {
  const id = randomUUID()
  expect(await ledger.order(transfer(checking, savings, 5_00, { id }))).toMatchObject({ status: 202 })
  for (const query of ['?status=pending', `?status=pending&account_id=${checking}`]) {
    expect((await get('alice', `/transactions${query}`)).body.items).toMatchObject([
      { id, status: 'pending' },
    ])
  }
})

test.each(['limit=x', 'cursor=!', 'type=gift', 'from=yesterday', 'account_id=1', 'sort=up'])(
  'a query of %s is invalid',
  async (query) => {
    expect(await get('alice', `/transactions?${query}`)).toMatchObject({ status: 400 })
  },
)

test('a cursor that only owners of very many accounts get takes nobody else over the bank’s transactions', async () => {
  const cursor = Buffer.from('before ffffffff-ffff-7fff-bfff-ffffffffffff').toString('base64url')
  expect((await get('alice', `/transactions?cursor=${cursor}`)).status).toBe(400)
})
