import { randomUUID } from 'node:crypto'
import { startFunction, token, type Answer, type TestFunction } from '../../tests/support/host.ts'
import {
  alice,
  deposit,
  testLedger,
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
