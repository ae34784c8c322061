import { randomUUID } from 'node:crypto'
import { deposit, testLedger, transfer, type TestLedger } from '../testing/ledger-fixture.ts'
import { postTransactions } from './post.ts'

let ledger: TestLedger

beforeAll(async () => {
  ledger = await testLedger()
})
afterAll(() => ledger.close())

const pair = async (amount: number): Promise<[string, string]> => {
  const accounts: [string, string] = [await ledger.open(), await ledger.open()]
  if (amount > 0) await ledger.post(deposit(accounts[0], amount))
  return accounts
}

test('the same key gives the first outcome again and moves no more money', async () => {
  const [from, to] = await pair(100)
  const key = randomUUID()
  const [first] = await ledger.post(transfer(from, to, 30, { key }))
  await ledger.post(deposit(from, 7))
  const [second] = await ledger.post(transfer(from, to, 30, { key }))
  expect(second).toEqual({ ...first, replayed: true })
  expect(await ledger.balances(from, to)).toEqual([77n, 30n])
})

test('a refusal is given again too, even if the request would not be refused now', async () => {
  const [from, to] = await pair(0)
  const key = randomUUID()
  const [first] = await ledger.post(transfer(from, to, 30, { key }))
  await ledger.post(deposit(from, 100))
  const [second] = await ledger.post(transfer(from, to, 30, { key }))
  expect(first).toEqual({ outcome: 'insufficient-funds', replayed: false })
  expect(second).toEqual({ outcome: 'insufficient-funds', replayed: true })
})

test('a key with another request is refused before the rules are checked', async () => {
  const [from, to] = await pair(100)
  const key = randomUUID()
  await ledger.post(transfer(from, to, 30, { key }))
  const [outcome] = await ledger.post(transfer(randomUUID(), to, 31, { key, request_hash: '\\x02' }))
  expect(outcome).toEqual({ outcome: 'idempotency-key-reused', replayed: false })
})

test('keys of different users never meet', async () => {
  const [from, to] = await pair(100)
  const key = randomUUID()
  const bob = randomUUID()
  const account = await ledger.open({ userId: bob })
  const bobs = { key, caller_id: bob, request_hash: '\\x02' }
  const first = await ledger.post(transfer(from, to, 30, { key }), deposit(account, 5, bobs))
  const second = await ledger.post(transfer(from, to, 30, { key }), deposit(account, 5, bobs))
  expect(first).toMatchObject([
    { outcome: 'posted', replayed: false, balanceAfter: 70n },
    { outcome: 'posted', replayed: false, balanceAfter: 5n },
  ])
  expect(second).toEqual(first.map((outcome) => ({ ...outcome, replayed: true })))
})

test('a key counts within one batch as it does between batches', async () => {
  const [from, to] = await pair(100)
  const [key, refused] = [randomUUID(), randomUUID()]
  const outcomes = await ledger.post(
    transfer(from, to, 30, { key }),
    transfer(from, to, 500, { key: refused }),
    transfer(from, to, 30, { key }),
    transfer(from, to, 30, { key, request_hash: '\\x02' }),
    transfer(from, to, 500, { key: refused }),
  )
  expect(outcomes).toMatchObject([
    { outcome: 'posted', replayed: false },
    { outcome: 'insufficient-funds', replayed: false },
    { outcome: 'posted', replayed: true },
    { outcome: 'idempotency-key-reused', replayed: false },
    { outcome: 'insufficient-funds', replayed: true },
  ])
  expect(outcomes[2]).toEqual({ ...outcomes[0], replayed: true })
  expect(await ledger.balances(from, to)).toEqual([70n, 30n])
})

test('a repeat among new requests is recognised', async () => {
  const [from, to] = [...(await pair(100))]
  const key = randomUUID()
  const [first] = await ledger.post(transfer(from, to, 30, { key }))
  const outcomes = await ledger.post(
    transfer(from, to, 1, { key: randomUUID() }),
    transfer(from, to, 30, { key }),
    transfer(from, to, 2),
    transfer(from, to, 3, { key: randomUUID() }),
  )
  expect(outcomes).toEqual([
    expect.objectContaining({ replayed: false, balanceAfter: 69n }),
    { ...first, replayed: true },
    expect.objectContaining({ replayed: false, balanceAfter: 67n }),
    expect.objectContaining({ replayed: false, balanceAfter: 64n }),
  ])
  expect(await ledger.balances(from, to)).toEqual([64n, 36n])
})

test('fifty clients with one key at the same moment move the money once', async () => {
  const [from, to] = await pair(1000)
  const key = randomUUID()
  const outcomes = await Promise.all(
    Array.from({ length: 50 }, () => ledger.post(transfer(from, to, 30, { key }))),
  )
  expect(outcomes.flat().filter(({ replayed }) => !replayed)).toHaveLength(1)
  expect(new Set(outcomes.flat().map((found) => found.outcome))).toEqual(new Set(['posted']))
  expect(await ledger.balances(from, to)).toEqual([970n, 30n])
})

test('a key whose database transaction was cut off can be used again', async () => {
  const [from, to] = await pair(100)
  const key = randomUUID()
  const cutOff = ledger.db.transaction(async (tx) => {
    await postTransactions(tx, [transfer(from, to, 30, { key })])
    const [backend] = await tx.query<{ pid: number }>({ text: 'select pg_backend_pid() as pid' })
    await ledger.owner.query({ text: 'select 1' })
    await terminate(backend!.pid)
    await tx.query({ text: 'select 1' })
  })
  await expect(cutOff).rejects.toThrow('the database did not answer')
  const [outcome] = await ledger.post(transfer(from, to, 30, { key }))
  expect(outcome).toMatchObject({ outcome: 'posted', replayed: false })
  expect(await ledger.balances(from, to)).toEqual([70n, 30n])
})

async function terminate(pid: number): Promise<void> {
  const { default: pg } = await import('pg')
  const client = new pg.Client({ connectionString: ledger.database.superuserUrl })
  await client.connect()
  await client.query('select pg_terminate_backend($1, 5000)', [pid])
  await client.end()
}

describe('an order', () => {
  const request = (id: string, from: string, to: string, amount: number) =>
    transfer(from, to, amount, { id, requested: true })

  test('is posted once, however often it comes', async () => {
    const [from, to] = await pair(100)
    const id = randomUUID()
    const outcomes = await ledger.post(request(id, from, to, 30), request(id, from, to, 30))
    outcomes.push(...(await ledger.post(request(id, from, to, 30))))
    expect(outcomes).toMatchObject([
      { outcome: 'posted', replayed: false, transactionId: id },
      { outcome: 'posted', replayed: true, transactionId: id },
      { outcome: 'posted', replayed: true, transactionId: id },
    ])
    expect(await ledger.balances(from, to)).toEqual([70n, 30n])
  })

  test('that is refused stays refused, and its refusal is an event', async () => {
    const [from, to] = await pair(0)
    const id = randomUUID()
    const first = await ledger.post(request(id, from, to, 30))
    await ledger.post(deposit(from, 100))
    const second = await ledger.post(request(id, from, to, 30))
    expect([...first, ...second]).toEqual([
      { outcome: 'insufficient-funds', replayed: false },
      { outcome: 'insufficient-funds', replayed: true },
    ])
    const events = await ledger.db.query({
      text: 'select type, data from events where subject = $1',
      values: [id],
    })
    expect(events).toMatchObject([
      { type: 'transaction.rejected', data: { refusal: 'insufficient-funds', amount: '0.30' } },
    ])
    expect(await ledger.faults()).toEqual([])
  })
})
