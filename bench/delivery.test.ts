import { randomUUID } from 'node:crypto'
import { openDatabase, type Database } from '../functions/host/database/database.ts'
import { deposit, silent, testLedger, type TestLedger } from '../functions/ledger/testing/ledger-fixture.ts'
import { testDatabase, type TestDatabase } from '../tests/support/databases.ts'
import { watchDelivery } from './delivery.ts'

let ledger: TestLedger
let database: TestDatabase
let notifications: Database

beforeAll(async () => {
  ledger = await testLedger()
  database = await testDatabase('notifications')
  notifications = openDatabase({ url: database.ownerUrl, poolMax: 2, name: 'test', log: silent })
})
afterAll(async () => {
  await notifications.close()
  await database.drop()
  await ledger.close()
})

const watch = () => watchDelivery({ owner: ledger.owner, ownerOf: () => notifications })

/** Posts deposits. Resolves with the ids of their transactions. */
async function post(count: number): Promise<string[]> {
  const account = await ledger.open()
  const outcomes = await ledger.post(...Array.from({ length: count }, () => deposit(account, 100)))
  return outcomes.map((outcome) => (outcome.outcome === 'posted' ? outcome.transactionId : ''))
}

const publishAll = () => ledger.owner.query({ text: 'delete from outbox_pending' })

const notify = (ids: readonly string[]) =>
  notifications.query({
    text: `insert into notifications (user_id, event_source, event_id, consumer, event_type, subject, message)
      select uuidv7(), 'test', uuidv7(), 'notify', 'transaction.completed', id, '' from unnest($1::text[]) id`,
    values: [ids],
  })

test('A6: all is delivered when nothing is pending and each transaction since then has its notification', async () => {
  await post(2)
  await publishAll()
  const watched = await watch()
  const ids = await post(3)
  expect(await watched.pending()).toBe(3)
  await publishAll()
  await notify(ids)
  expect(await watched.untilDelivered(0)).toMatchObject({ count: 3, backlog: 0 })
})

test('an event that is still pending is not delivered, even if its notification is stored', async () => {
  const watched = await watch()
  await notify(await post(1))
  await expect(watched.untilDelivered(0)).rejects.toThrow(
    'EVENTS ARE MISSING: 1 transactions have 1 notifications, and 1 events wait',
  )
  await publishAll()
  await watched.untilDelivered(0)
})

test('a notification about another transaction stands for none', async () => {
  const watched = await watch()
  const ids = await post(2)
  await publishAll()
  await notify([ids[0]!, randomUUID()])
  await expect(watched.untilDelivered(0)).rejects.toThrow('2 transactions have 2 notifications, and 0')
})
