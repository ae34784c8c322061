import { randomUUID } from 'node:crypto'
import { testLedger, traceparent, type TestLedger } from '../testing/ledger-fixture.ts'
import { toRecords } from './posting-records.ts'
import { toPosting } from './posting-request.ts'

let ledger: TestLedger

beforeAll(async () => {
  ledger = await testLedger()
})
afterAll(() => ledger.close())

test('Postgres reads from a record each field of the request, under its own name', async () => {
  const posting = toPosting(
    'transfer',
    {
      account_id: randomUUID(),
      to_account_id: randomUUID(),
      currency: 'KWD',
      description: `"quoted", (bracketed) and \\ back`,
      metadata: { words: 'null', 'a "key"': true },
    },
    12_345n,
    {
      operation: 'an operation',
      caller: { userId: randomUUID(), role: 'operator' },
      idempotencyKey: { owner: 'an owner', key: 'a, key', requestHash: Buffer.from('hash') },
      orderId: randomUUID(),
      traceparent,
    },
  )
  const nothing = toPosting('deposit', { account_id: randomUUID() }, 1n, {
    operation: 'deposit',
    caller: { userId: randomUUID(), role: 'customer' },
    traceparent,
  })
  const pendingId = randomUUID()
  const rows = await ledger.db.query<{ request: object }>({
    text: 'select to_jsonb(request) as request from unnest($1::posting_request[]) as request',
    values: [toRecords([posting, nothing], [pendingId, pendingId])],
  })
  const read = rows.map(({ request }) => request)
  expect(read).toEqual([
    { ...posting, pending_id: pendingId, amount: 12_345 },
    { ...nothing, pending_id: pendingId, amount: 1 },
  ])
})
