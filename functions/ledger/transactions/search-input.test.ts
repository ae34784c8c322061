import { randomUUID } from 'node:crypto'
import { startFunction, token, type Answer, type TestFunction } from '../../../tests/support/host.ts'
import {
  alice,
  deposit,
  testLedger,
  transfer,
  withdrawal,
  type TestLedger,
} from '../testing/ledger-fixture.ts'
import transactions from '../transactions.ts'
import { indexTransactions } from './search-index.ts'

/** What searches accept over HTTP, and who finds what. */

const bob = randomUUID()
let ledger: TestLedger
let running: TestFunction
let tokens: Record<'alice' | 'bob' | 'operator' | 'stranger', string>
let checking: string, savings: string, bobs: string

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
    deposit(checking, 900_00, {
      description: 'Wages of May',
      metadata: { month: 5, paid: true, 'a:b': 'c:d' },
    }),
    transfer(checking, savings, 100_00, { description: 'Put aside' }),
    transfer(checking, bobs, 50_00, {
      description: 'lunch at 50% off: a|b & (c) !',
      metadata: { order: 'A-17' },
    }),
    withdrawal(savings, 20_00),
    deposit(bobs, 1_00, { caller_id: bob, description: 'Bob’s own' }),
  ]
  for (const request of requests) await ledger.post(request)
})

afterAll(async () => {
  await running.stop()
  await ledger.close()
})

const search = (who: keyof typeof tokens, query: Record<string, string>): Promise<Answer> =>
  running.request('GET', `/transactions?${new URLSearchParams(query).toString()}`, { token: tokens[who] })

async function found(who: keyof typeof tokens, query: Record<string, string>): Promise<(string | null)[]> {
  const { status, body } = await search(who, query)
  expect(status).toBe(200)
  return body.items.map(({ description }: { description: string | null }) => description)
}

const index = () => indexTransactions(ledger.db)

const LUNCH = 'lunch at 50% off: a|b & (c) !'

describe.each(['not indexed yet', 'indexed'])('transactions that are %s', (state) => {
  beforeAll(async () => {
    if (state === 'indexed') await index()
  })

  test.each([
    ['a word', { query: 'WAGES' }, ['Wages of May']],
    ['all words, in any order', { query: 'may wages' }, ['Wages of May']],
    ['the beginning of the last word', { query: 'of wag' }, ['Wages of May']],
    ['no beginning where a blank follows', { query: 'wag ' }, []],
    ['no other end of a word', { query: 'ages' }, []],
    ['words of which one is missing', { query: 'wages june' }, []],
    ['a field', { metadata: 'order:A-17' }, [LUNCH]],
    ['a field with a number', { metadata: 'month:5' }, ['Wages of May']],
    ['a field with a boolean', { metadata: 'paid:true' }, ['Wages of May']],
    ['a field with colons', { metadata: 'a:b:c:d' }, ['Wages of May']],
    ['a part of a value', { metadata: 'order:A' }, []],
    ['a field in another case', { metadata: 'order:a-17' }, []],
    ['a field and a word', { metadata: 'order:A-17', query: 'lunch' }, [LUNCH]],
    ['a word and an amount', { query: 'l', amount_min: '50', amount_max: '50.00' }, [LUNCH]],
    ['a word and another amount', { query: 'l', amount_min: '50.01' }, []],
    ['a word and a type', { query: 'wages', type: 'transfer' }, []],
    ['an amount alone', { amount_min: '100', amount_max: '100' }, ['Put aside']],
    ['an amount in a currency', { amount_min: '100', currency: 'EUR' }, []],
  ])('are found by %s', async (_what, query, expected) => {
    expect(await found('alice', query as Record<string, string>)).toEqual(expected)
  })

  test.each([
    '50%',
    'a|b',
    '& (c) !',
    'lunch:*',
    '%lunch%',
    '\\lunch',
    "lunch'",
    'lunch"',
    '“lunch” <-> 50',
    'l_u',
  ])('are found by the words in %j, in which signs mean nothing', async (query) => {
    expect(await found('alice', { query })).toEqual(query === 'l_u' ? [] : [LUNCH])
  })

  test('are found by their two owners and by operators, and by nobody else', async () => {
    for (const query of [{ query: 'lunch' }, { metadata: 'order:A-17' }] as Record<string, string>[]) {
      for (const who of ['alice', 'bob', 'operator'] as const)
        expect(await found(who, query)).toEqual([LUNCH])
      expect(await search('stranger', query)).toMatchObject({
        status: 200,
        body: { items: [], next_cursor: null },
      })
    }
    expect(await found('alice', { query: 'own' })).toEqual([])
    expect((await search('bob', { query: 'lunch' })).body.items[0].balance_after).toBeNull()
  })

  test('are found in the accounts that they touch', async () => {
    expect(await found('alice', { query: 'put', account_id: savings })).toEqual(['Put aside'])
    expect(await found('alice', { query: 'wages', account_id: savings })).toEqual([])
    expect(await found('operator', { query: 'lunch', account_id: bobs })).toEqual([LUNCH])
    for (const query of [{ query: 'lunch' }, { metadata: 'order:A-17' }, { amount_min: '1' }] as Record<
      string,
      string
    >[])
      expect(await search('alice', { ...query, account_id: bobs })).toMatchObject({ status: 404 })
  })
})

test.each([
  ['an empty text', { query: '' }, '/query'],
  ['signs alone', { query: '%_&|!():* \\' }, '/query'],
  ['a NUL', { query: 'a\0b' }, undefined],
  ['ten thousand characters', { query: 'x'.repeat(10_000) }, '/query'],
  ['an end in the year 0', { query: 'wages', to: '0000-12-31T23:59:59Z' }, '/to'],
  ['a beginning in the year 0', { query: 'wages', from: '0000-01-01T00:00:00Z' }, '/from'],
  ['a year before it', { query: 'wages', to: '-0001-01-01T00:00:00Z' }, '/to'],
  ['a year of five digits', { query: 'wages', to: '10000-01-01T00:00:00Z' }, '/to'],
  ['an empty field', { metadata: '' }, '/metadata'],
  ['a field without a value', { metadata: 'order' }, '/metadata'],
  ['a NUL in a field', { metadata: 'a:\0' }, undefined],
  ['an amount that is none', { amount_min: '1e3' }, '/amount_min'],
  ['a negative amount', { amount_max: '-1' }, '/amount_max'],
  ['an amount with too many decimals', { amount_min: '1.001' }, '/amount_min'],
  ['an empty amount', { amount_min: '' }, '/amount_min'],
  ['a highest amount below the lowest', { amount_min: '2', amount_max: '1' }, '/amount_max'],
  ['a currency that does not exist', { amount_min: '2', currency: 'XYZ' }, '/currency'],
  ['no currency', { currency: 'usd' }, '/currency'],
])('%s: 400', async (_what, query, path) => {
  const { status, body } = await search('alice', query as unknown as Record<string, string>)
  expect([status, body.errors?.[0].path]).toEqual([400, path])
})

test.each([
  'query=%ED%A0%80',
  'query=%FF%FE',
  'metadata=%ED%A0%80:1',
  'query=a&query=b',
  'metadata=a:1&metadata=b:2',
])('text that is no Unicode, or comes twice, is literal or 400: %s', async (query) => {
  const { status } = await running.request('GET', `/transactions?${query}`, { token: tokens.alice })
  expect([200, 400]).toContain(status)
})

test('without a token: 401', async () => {
  expect(await running.request('GET', '/transactions?query=lunch')).toMatchObject({ status: 401 })
})

test('a cursor of a list is refused by a search, and the other way round', async () => {
  const cursorOf = async (query: Record<string, string>): Promise<string> =>
    (await search('alice', { limit: '1', ...query })).body.next_cursor as string
  const searches = await cursorOf({ query: 'a' })
  for (const query of [{}, { amount_min: '1' }] as Record<string, string>[]) {
    expect(await search('alice', { query: 'a', cursor: await cursorOf(query) })).toMatchObject({
      status: 400,
    })
    expect(await search('alice', { ...query, cursor: searches })).toMatchObject({ status: 400 })
  }
})

test('the beginning of many words finds all of them', async () => {
  const words = Array.from({ length: 150 }, (_, n) => `ref ${700_000 + n}`)
  await ledger.post(...words.map((description) => deposit(checking, 1, { description })))
  await ledger.post(deposit(checking, 1, { description: '70' }))
  await index()
  for (const query of ['7', '70', '7000', 'r', 're', 'ref', 'ref 7'])
    expect((await found('alice', { query, limit: '200' })).length).toBeGreaterThanOrEqual(
      query === '7000' ? 100 : 150,
    )
  expect(await found('alice', { query: '70 ' })).toEqual(['70'])
  expect(await found('alice', { query: 'ref 70000' })).toHaveLength(10)
})

test('a search goes on where it was, while others are posted and indexed', async () => {
  const post = (n: number) => ledger.post(deposit(checking, 1, { description: `coffee ${n}` }))
  for (let n = 0; n < 10; n++) await post(n)
  const items: string[] = []
  let cursor: string | null = null
  for (let n = 0; n === 0 || cursor; n++) {
    const { body } = await search('alice', { query: 'coffee', limit: '3', ...(cursor && { cursor }) })
    items.push(...body.items.map(({ description }: { description: string }) => description))
    cursor = body.next_cursor as string | null
    await post(10 + n)
    await ledger.db.query({ text: 'select index_transactions(1)' })
  }
  expect(items).toEqual(Array.from({ length: 10 }, (_, n) => `coffee ${9 - n}`))
})
