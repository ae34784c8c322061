import type { Outbox } from '../../../eventing/outbox.ts'
import { until } from '../../../tests/support/until.ts'
import type { Tools } from '../../host/tools.ts'
import { createPoster } from '../posting/post.ts'
import sweepLedger from '../sweep-ledger.ts'
import { alice, deposit, silent, testLedger, type TestLedger } from '../testing/ledger-fixture.ts'

let ledger: TestLedger
let account: string

beforeAll(async () => {
  ledger = await testLedger()
  account = await ledger.open()
})

afterAll(() => ledger.close())

const count = async (what: string): Promise<number> => {
  const [row] = await ledger.owner.query<{ count: bigint }>({ text: `select count(*) from ${what}` })
  return Number(row!.count)
}

test('what has no text is not noted', async () => {
  await ledger.post(deposit(account, 1))
  expect(await count('search_queue')).toBe(0)
})

test('a process that posts a thousand transactions with text indexes them by itself', async () => {
  const poster = createPoster({
    db: ledger.db,
    outbox: { publish: () => {} } as unknown as Outbox,
    log: silent,
  })
  const requests = Array.from({ length: 1_000 }, (_, n) =>
    deposit(account, 1, { description: `salary ${n}` }),
  )
  await Promise.all(requests.map((request) => poster.post(request)))
  await until(async () => (await count('search_queue')) === 0)
  // In the blocks of the customer and in those of the bank.
  expect(await count('search_blocks cross join unnest(ids)')).toBe(2_000)
})

test('the sweep indexes the rest, even if the Broker takes no events; but no order that is pending', async () => {
  await ledger.post(deposit(account, 1, { description: 'bonus' }))
  const order = deposit(account, 1, { metadata: { reason: 'later' } })
  await ledger.order(order)
  const outbox = { publish: () => {}, sweep: () => Promise.reject(new Error('no Broker')) }
  const tools = { db: ledger.db, log: silent, outbox } as unknown as Tools
  const sweep = () => sweepLedger.consumes!.receive({} as never, tools, undefined as never, {} as never)
  await expect(sweep()).rejects.toThrow('no Broker')
  expect(await count(`search_queue where transaction_id <> '${order.id}'`)).toBe(0)
  expect(await count('search_queue')).toBe(1)

  await ledger.post({ ...order, requested: true, caller_id: alice })
  expect(await count('search_queue')).toBe(1)
  await expect(sweep()).rejects.toThrow('no Broker')
  expect(await count('search_queue')).toBe(0)
  expect(await count(`search_blocks where '${order.id}' = any (ids)`)).toBe(2)
})
