import { randomUUID } from 'node:crypto'
import { deposit, testLedger, type TestLedger } from '../../functions/ledger/testing/ledger-fixture.ts'
import type { Customer } from '../customers.ts'
import { countEntries, grow } from './grow.ts'

let ledger: TestLedger
let customers: Customer[]

const progress = { step: () => {}, say: () => {} }
const growTo = (wanted: number) =>
  grow({ ledger: ledger.db, owner: ledger.owner, customers, progress }, wanted)

const countOf = async (table: string): Promise<bigint> => {
  const [row] = await ledger.owner.query<{ count: bigint }>({ text: `select count(*) from ${table}` })
  return row!.count
}

beforeAll(async () => {
  ledger = await testLedger()
  customers = []
  for (let n = 0; n < 4; n++) {
    const userId = randomUUID()
    const accounts = [await ledger.open({ userId }), await ledger.open({ userId })]
    for (const id of accounts) await ledger.post(deposit(id, 1_000_000_00, { caller_id: userId }))
    customers.push({ userId, token: '', accounts })
  }
  await ledger.owner.query({ text: 'truncate outbox_pending' })
})
afterAll(() => ledger.close())

test('the ledger grows with all rows that a transfer of the bank itself writes', async () => {
  const before = [await countOf('transactions'), await countOf('events')]
  expect(await countEntries(ledger.owner)).toBe(16)
  const entries = await growTo(12_000)
  expect(entries).toBeGreaterThanOrEqual(12_000)
  expect(await countOf('entries')).toBe(BigInt(entries))
  const posted = BigInt((entries - 16) / 2)
  expect([await countOf('transactions'), await countOf('events')]).toEqual(before.map((n) => n + posted))
  // Keys of the last tenth, in whole batches.
  const keys = await countOf('idempotency_keys')
  expect(keys).toBeGreaterThanOrEqual(500n)
  expect(keys).toBeLessThan(posted / 4n)
  expect(await countOf('outbox_pending')).toBe(0n)
  // A tenth has a text, and can be searched.
  expect(await countOf('search_queue')).toBe(0n)
  expect(await countOf('search_blocks')).toBeGreaterThan(0n)
  expect(await ledger.faults()).toEqual([])
})

test('a second call continues from there, and a call for fewer entries does nothing', async () => {
  const before = await countEntries(ledger.owner)
  expect(await growTo(before - 1)).toBe(before)
  expect(await growTo(before + 1)).toBeGreaterThan(before)
  expect(await ledger.faults()).toEqual([])
})
