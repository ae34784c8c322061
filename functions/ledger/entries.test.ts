import { createHash, randomUUID } from 'node:crypto'
import { startFunction, token, type Answer, type TestFunction } from '../../tests/support/host.ts'
import entries from './entries.ts'
import { setFee } from './testing/policies-fixture.ts'
import { listOfAccounts } from './transactions/transaction-lists.ts'
import {
  deposit,
  reversal,
  testLedger,
  transfer,
  withdrawal,
  alice,
  type TestLedger,
} from './testing/ledger-fixture.ts'
import { toMinorUnits } from '../web/ui/money/money.ts'
import { isHashRight, type ListedHash } from '../web/ui/proof/entry-hash.ts'

const bob = randomUUID()
let ledger: TestLedger
let running: TestFunction
let tokens: Record<'alice' | 'bob' | 'operator', string>
let checking: string, bobs: string

beforeAll(async () => {
  ledger = await testLedger()
  running = await startFunction(entries, { LEDGER_DATABASE_URL: ledger.database.url })
  tokens = {
    alice: await token({ userId: alice }),
    bob: await token({ userId: bob }),
    operator: await token({ userId: randomUUID(), role: 'operator' }),
  }
  ;[checking, bobs] = [await ledger.open(), await ledger.open({ userId: bob })]
  const lunch = transfer(checking, bobs, 50_00, { description: 'Lunch' })
  await ledger.post(deposit(checking, 900_00, { description: 'Wages' }))
  // Times have milliseconds.
  await ledger.db.query({ text: 'select pg_sleep(0.002)' })
  await ledger.post(lunch)
  await ledger.post(withdrawal(checking, 20_00))
  await ledger.post(reversal(lunch, false))
})

afterAll(async () => {
  await running.stop()
  await ledger.close()
})

const get = (
  who: keyof typeof tokens,
  account: string,
  query: Record<string, string> = {},
): Promise<Answer> =>
  running.request('GET', `/accounts/${account}/entries?${new URLSearchParams(query).toString()}`, {
    token: tokens[who],
  })

async function versions(
  query: Record<string, string>,
  who: keyof typeof tokens = 'alice',
): Promise<number[]> {
  return (await get(who, checking, query)).body.items.map(({ version }: { version: number }) => version)
}

test('entries come newest first, with signed amounts, the balance after each, and the other account', async () => {
  const { status, body } = await get('alice', checking)
  expect(status).toBe(200)
  expect(body.next_cursor).toBeNull()
  expect(body.items).toMatchObject([
    {
      version: 4,
      transaction_type: 'reversal',
      amount: '50.00',
      balance_after: '880.00',
      counterparty_account_id: bobs,
    },
    {
      version: 3,
      transaction_type: 'withdrawal',
      amount: '-20.00',
      balance_after: '830.00',
      counterparty_account_id: null,
    },
    {
      version: 2,
      transaction_type: 'transfer',
      amount: '-50.00',
      balance_after: '850.00',
      counterparty_account_id: bobs,
    },
    {
      version: 1,
      transaction_type: 'deposit',
      amount: '900.00',
      balance_after: '900.00',
      description: 'Wages',
    },
  ])
  expect((await get('bob', bobs)).body.items.at(-1)).toMatchObject({
    amount: '50.00',
    counterparty_account_id: checking,
  })
})

test('the other side is told by its number, and by its name if it is one’s own', async () => {
  const rename = (id: string, name: string) =>
    ledger.db.query({ text: 'select rename_account($1, null, $2)', values: [id, name] })
  const [from, to] = [await ledger.open(), await ledger.open()]
  await rename(to, 'Holidays')
  await rename(bobs, 'Secret')
  await ledger.post(deposit(from, 10_00))
  await ledger.post(transfer(from, to, 1_00))
  await ledger.post(transfer(from, bobs, 1_00))
  const rows = await ledger.db.query<{ number: bigint }>({
    text: 'select number from unnest($1::uuid[]) with ordinality w (id, n) join accounts using (id) order by n',
    values: [[from, to, bobs]],
  })
  const numbers = rows.map(({ number }) => String(number))
  const told = async (who: keyof typeof tokens, account: string) =>
    (await get(who, account)).body.items.map(({ counterparty }: { counterparty: unknown }) => counterparty)
  expect(await told('alice', from)).toEqual([
    { number: numbers[2], name: null },
    { number: numbers[1], name: 'Holidays' },
    null,
  ])
  expect(await told('operator', to)).toEqual([{ number: numbers[0], name: null }])
  expect((await told('bob', bobs))[0]).toEqual({ number: numbers[0], name: null })
})

/** What the page of a receipt checks. */
const listed = (entry: Record<string, never>): ListedHash => ({
  accountId: checking,
  version: entry.version!,
  transactionId: entry.transaction_id!,
  amount: toMinorUnits(entry.amount!, 'USD'),
  balanceAfter: toMinorUnits(entry.balance_after!, 'USD'),
  timestamp: entry.timestamp!,
  valueDate: entry.value_date!,
  hash: entry.hash!,
  previousHash: entry.previous_hash!,
})

test('the hashes can be computed again from what the entries say', async () => {
  const items = (await get('alice', checking)).body.items.toReversed() as Record<string, never>[]
  let previous = '00'.repeat(32)
  for (const entry of items) {
    const number = (value: bigint): Buffer => {
      const bytes = Buffer.alloc(8)
      bytes.writeBigInt64BE(value)
      return bytes
    }
    const uuid = (id: string): Buffer => Buffer.from(id.replaceAll('-', ''), 'hex')
    const cents = (amount: string): Buffer => number(BigInt(amount.replace('.', '')))
    const microseconds = BigInt(Date.parse(entry.timestamp!) - Date.UTC(2000, 0, 1)) * 1000n
    const hash = createHash('sha256')
      .update(Buffer.from(previous, 'hex'))
      .update(uuid(checking))
      .update(number(BigInt(entry.version!)))
      .update(uuid(entry.transaction_id!))
      .update(cents(entry.amount!))
      .update(cents(entry.balance_after!))
      .update(number(microseconds))
      .digest('hex')
    expect(entry).toMatchObject({ previous_hash: previous, hash })
    expect([await isHashRight(listed(entry)), await isHashRight({ ...listed(entry), amount: 7n })]).toEqual([
      true,
      false,
    ])
    previous = hash
  }
  expect(items).toHaveLength(4)
})

test('filters: type, time, words', async () => {
  expect(await versions({ type: 'withdrawal' })).toEqual([3])
  expect(await versions({ type: 'reversal' }, 'operator')).toEqual([4])
  expect(await versions({ query: 'lun' })).toEqual([2])
  expect(await versions({ query: 'wages ' })).toEqual([1])
  expect(await versions({ query: 'wages', type: 'transfer' })).toEqual([])
  const { timestamp } = (await get('alice', checking)).body.items[2]
  expect(await versions({ from: timestamp })).toContain(2)
  expect(await versions({ to: timestamp })).toEqual([1])
})

test.each([{}, { query: 'l' }, { type: 'transfer' }] as Record<string, string>[])(
  'pages follow each other: %j',
  async (query) => {
    const whole = await versions(query)
    const paged: number[] = []
    let cursor: string | null = null
    do {
      const { body } = await get('alice', checking, { ...query, limit: '1', ...(cursor && { cursor }) })
      paged.push(...body.items.map(({ version }: { version: number }) => version))
      cursor = body.next_cursor as string | null
    } while (cursor)
    expect(paged).toEqual(whole)
  },
)

test('another customer’s account, the bank’s own and none: 404; without a token: 401', async () => {
  const cash = '00000000-0000-7000-8000-000000555344'
  for (const id of [bobs, cash, randomUUID(), '1'])
    expect(await get('alice', id)).toMatchObject({ status: 404 })
  expect(await get('operator', cash)).toMatchObject({ status: 404 })
  expect(await get('operator', bobs)).toMatchObject({ status: 200 })
  expect(await running.request('GET', `/accounts/${checking}/entries`)).toMatchObject({ status: 401 })
})

test.each([
  { query: '' },
  { query: '%' },
  { query: 'x'.repeat(1000) },
  { query: 'a\0' },
  { cursor: 'MA' },
  { cursor: 'bm9uZQ' },
  { cursor: Buffer.from('9'.repeat(30)).toString('base64url') },
  { limit: '0' },
  { type: 'gift' },
  { from: 'yesterday' },
  { metadata: 'a:b' },
] as unknown as Record<string, string>[])('%j: 400', async (query) => {
  expect(await get('alice', checking, query)).toMatchObject({ status: 400 })
})

test('a fee is an entry of its own, which the bank gets; the transaction is found by its amount, once', async () => {
  await setFee(ledger, 'transfer', { fixed: 50 })
  await ledger.post(transfer(checking, bobs, 50))
  const { items } = (await get('alice', checking, { limit: '2' })).body
  expect(items).toMatchObject([
    { amount: '-0.50', counterparty_account_id: null },
    { amount: '-0.50', counterparty_account_id: bobs },
  ])
  expect(items[0].transaction_id).toBe(items[1].transaction_id)
  const filters = { type: undefined, status: undefined, from: undefined, to: undefined, currency: undefined }
  for (const [amount, count] of [
    [50n, 1],
    [100n, 0],
  ] as const) {
    const wanted = { ...filters, amountMin: amount, amountMax: amount }
    const { rows } = await listOfAccounts(ledger.db, { accountId: checking, userId: alice }, wanted, {
      limit: 5,
    })
    expect(rows).toHaveLength(count)
  }
})
