import { randomUUID } from 'node:crypto'
import { transactionCompleted } from '../../eventing/contracts/transaction.completed.ts'
import { transactionReversed } from '../../eventing/contracts/transaction.reversed.ts'
import type { EventContract } from '../../eventing/contracts/contract.ts'
import { openDatabase, type Database } from '../host/database/database.ts'
import { createLog } from '../../monitoring/log.ts'
import { testDatabase, type TestDatabase } from '../../tests/support/databases.ts'
import { deliverExample, deliverTick } from '../../tests/support/events.ts'
import { startFunction, token, type TestFunction } from '../../tests/support/host.ts'
import { until } from '../../tests/support/until.ts'
import notifications from './notifications.ts'
import notifyUser from './notify-user.ts'
import notify from './notify.ts'
import sweep from './sweep-notifications.ts'
import { formatMoney } from './templates/formats.ts'
import { notified } from './templates/notified.ts'
import { eventText } from './templates/templates.ts'

let database: TestDatabase
let db: Database
let consumer: TestFunction
let others: TestFunction
let reader: TestFunction

beforeAll(async () => {
  database = await testDatabase('notifications')
  db = openDatabase({ url: database.url, poolMax: 2, name: 'test', log: createLog({}, 'error') })
  const env = { NOTIFICATIONS_DATABASE_URL: database.url, BROKER_URL: 'http://127.0.0.1:9/' }
  consumer = await startFunction(notify, env)
  others = await startFunction(notifyUser, env)
  reader = await startFunction(notifications, env)
})

afterAll(async () => {
  await consumer.stop()
  await others.stop()
  await reader.stop()
  await db.close()
  await database.drop()
})

/** Delivers a completed deposit, or the example of another contract, as the Broker does. */
function deliver(
  userId: string,
  { id = randomUUID(), ...data }: { id?: string; amount?: string; bad?: 1 } = {},
  signedBy = 'ledger',
  contract: EventContract<object> = transactionCompleted,
) {
  const takes = notify.consumes!.contracts as readonly EventContract[]
  const taker = takes.some(({ type }) => type === contract.type) ? consumer : others
  return deliverExample(taker, contract, { user_id: userId, ...data }, { id, signedBy })
}

const list = async (userId: string, query = '') => {
  const answer = await reader.request('GET', `/notifications${query}`, { token: await token({ userId }) })
  expect(answer.status).toBe(200)
  return answer.body as { items: Record<string, unknown>[]; next_cursor: string | null; unread_count: number }
}

describe('the text of a notification', () => {
  test.each([
    [{}, 'Deposit of $200.00 completed. New balance: $900.00'],
    [
      { transaction_type: 'withdrawal', new_balance: '-12.50' },
      'Withdrawal of $200.00 completed. New balance: -$12.50',
    ],
    [
      { transaction_type: 'transfer', currency: 'EUR' },
      'Transfer of €200.00 completed. New balance: €900.00',
    ],
    [
      { fee: '1.50', new_balance: '898.50' },
      'Deposit of $200.00 completed. Fee: $1.50. New balance: $898.50',
    ],
    [
      { amount: '200', new_balance: '1200', currency: 'JPY' },
      'Deposit of ¥200 completed. New balance: ¥1,200',
    ],
  ] as const)('%j', (change, words) => {
    const data = { ...transactionCompleted.example, ...change }
    expect(eventText('transaction.completed', data, 'en').text).toBe(words)
  })

  test('no digit is rounded away', () => {
    expect(formatMoney('92233720368547758.07', 'USD')).toBe('$92,233,720,368,547,758.07')
  })
})

test('a completed transaction becomes a notification of its user, as the contract lists it', async () => {
  const user = randomUUID()
  const eventId = randomUUID()
  expect((await deliver(user, { id: eventId })).status).toBe(204)
  const { items } = await list(user)
  expect(items).toEqual([
    {
      id: expect.any(String),
      user_id: user,
      event_id: eventId,
      event_type: 'transaction.completed',
      subject: transactionCompleted.example.transaction_id,
      message: 'Deposit of $200.00 completed. New balance: $900.00',
      channel: 'in-app',
      status: 'stored',
      attempts: 0,
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      read_at: null,
    },
  ])
})

test('the same event, many times at once and again later, becomes one notification', async () => {
  const user = randomUUID()
  const id = randomUUID()
  const answers = await Promise.all(Array.from({ length: 20 }, () => deliver(user, { id })))
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([204]))
  expect((await deliver(user, { id })).status).toBe(204)
  expect((await list(user)).items).toHaveLength(1)
  const stored = await db.query({
    text: `select from events where type = 'notification.stored' and data->>'event_id' = $1`,
    values: [id],
  })
  expect(stored).toHaveLength(1)
})

test('a reversed transaction becomes one too, however often its event comes', async () => {
  const user = randomUUID()
  const id = randomUUID()
  for (let n = 0; n < 3; n++)
    expect((await deliver(user, { id }, 'ledger', transactionReversed)).status).toBe(204)
  expect((await list(user)).items).toMatchObject([
    {
      event_type: 'transaction.reversed',
      subject: transactionReversed.example.transaction_id,
      message: 'Transaction of $200.00 reversed. New balance: $700.00',
    },
  ])
})

test('of everything else that is notified, the user hears too; not of log-ins, which are only sent', async () => {
  for (const { contract, isSentOnly } of Object.values(notified)) {
    const user = randomUUID()
    const deliveries = [1, 2].map(() =>
      deliver(user, { id: user }, contract.context, contract as EventContract<object>),
    )
    expect((await Promise.all(deliveries)).map(({ status }) => status)).toEqual([204, 204])
    const { items } = await list(user)
    expect([contract.type, items.map(({ event_type: type }) => type)]).toEqual([
      contract.type,
      isSentOnly ? [] : [contract.type],
    ])
  }
})

test('an event that breaks its contract is answered 5xx and has no effect, then or later', async () => {
  const user = randomUUID()
  const id = randomUUID()
  expect((await deliver(user, { id, bad: 1 })).status).toBe(500)
  expect((await list(user)).items).toHaveLength(0)
  // The same id, corrected: nothing of the failed delivery may block it.
  expect((await deliver(user, { id })).status).toBe(204)
  expect((await list(user)).items).toHaveLength(1)
})

test('a completed transaction that the ledger did not sign makes no notification', async () => {
  const user = randomUUID()
  const { status, body } = await deliver(user, {}, 'notifications')
  expect([status, body.detail]).toEqual([500, expect.stringContaining('not signed by the context ledger')])
  expect((await list(user)).items).toHaveLength(0)
})

test('customers see only their own notifications; operators see all', async () => {
  const [ada, bob] = [randomUUID(), randomUUID()]
  await deliver(ada)
  const { id } = (await list(ada)).items[0]!
  const get = async (userId: string, role: 'customer' | 'operator') =>
    (await reader.request('GET', `/notifications/${String(id)}`, { token: await token({ userId, role }) }))
      .status
  expect((await list(bob)).items).toHaveLength(0)
  expect(await get(bob, 'customer')).toBe(404)
  expect(await get(ada, 'customer')).toBe(200)
  expect(await get(bob, 'operator')).toBe(200)
})

test('an operator lists those of one user, also what was only sent; another customer is not there', async () => {
  const [ada, bob] = [randomUUID(), randomUUID()]
  for (const user of [ada, ada, bob]) await deliver(user)
  const sent = await list(ada)
  const log = createLog({}, 'error')
  const owner = openDatabase({ url: database.ownerUrl, poolMax: 1, name: 'test', log })
  await owner.query({
    text: `update notifications set channel = 'email' where id = $1`,
    values: [sent.items[0]!.id],
  })
  const asked = async (userId: string, role: 'customer' | 'operator') =>
    reader.request('GET', `/notifications?user_id=${ada}`, { token: await token({ userId, role }) })
  const owners = ({ body }: Awaited<ReturnType<typeof asked>>) =>
    body.items.map(({ user_id }: { user_id: string }) => user_id)
  expect(owners(await asked(bob, 'operator'))).toEqual([ada, ada])
  expect(owners(await asked(ada, 'customer'))).toEqual([ada])
  expect((await asked(bob, 'customer')).status).toBe(404)
  const audit = await owner.query({
    text: `select owner_id, outcome from audit where caller_id = $1 and route = 'GET /notifications'`,
    values: [bob],
  })
  await owner.close()
  expect(audit).toEqual([{ owner_id: ada, outcome: 'read' }])
})

test('pages go from the newest to the oldest, each item once', async () => {
  const user = randomUUID()
  for (const amount of ['1.00', '2.00', '3.00', '4.00', '5.00']) await deliver(user, { amount })
  const seen: unknown[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const page = await list(user, `?limit=2${cursor && `&cursor=${cursor}`}`)
    expect(page.items.length).toBeLessThanOrEqual(2)
    seen.push(...page.items.map(({ message }) => /\$(\d)/.exec(String(message))?.[1]))
    cursor = page.next_cursor
  }
  expect(seen).toEqual(['5', '4', '3', '2', '1'])
})

test('a cursor that does not come from a page is invalid input', async () => {
  const answer = await reader.request('GET', '/notifications?cursor=rubbish', {
    token: await token({ userId: randomUUID() }),
  })
  expect([answer.status, answer.body.errors[0].path]).toEqual([400, '/cursor'])
})

describe('what was read', () => {
  const read = async (userId: string, upTo: unknown, role: 'customer' | 'operator' = 'customer') =>
    reader.request('POST', '/notifications/read', {
      token: await token({ userId, role }),
      body: { up_to: upTo },
    })
  const threeOf = async (userId: string) => {
    for (const amount of ['1.00', '2.00', '3.00']) await deliver(userId, { amount })
    return (await list(userId)).items.map(({ id }) => String(id)) as [string, string, string]
  }

  test('is what is in the list from one notification back; the rest is counted', async () => {
    const [ada, bob] = [randomUUID(), randomUUID()]
    const [, second] = await threeOf(ada)
    await threeOf(bob)
    expect((await list(ada)).unread_count).toBe(3)
    const { status, body } = await read(ada, second)
    expect([status, body]).toEqual([200, { unread_count: 1 }])
    const before = await list(ada)
    const time = expect.stringMatching(/Z$/)
    expect(before.items.map(({ read_at: at }) => at)).toEqual([null, time, time])
    // Again, or of an older one: nothing becomes unread, and no time changes.
    await read(ada, second)
    expect(await list(ada)).toEqual(before)
    expect((await list(bob)).unread_count).toBe(3)
  })

  test('does not count what is only sent, and leaves the event as it is', async () => {
    const user = randomUUID()
    const { contract } = notified['session.started']
    await deliver(user, {}, contract.context, contract as EventContract<object>)
    expect((await list(user)).unread_count).toBe(0)
    const [newest] = await threeOf(user)
    const events = () =>
      db.query({ text: `select * from events where partitionkey = $1 order by id`, values: [user] })
    const before = await events()
    expect((await read(user, newest)).body).toEqual({ unread_count: 0 })
    expect(await events()).toEqual(before)
  })

  test('can’t be said of another’s, not even by an operator, nor of none', async () => {
    const ada = randomUUID()
    const [newest] = await threeOf(ada)
    for (const role of ['customer', 'operator'] as const)
      expect((await read(randomUUID(), newest, role)).status).toBe(404)
    expect((await read(ada, randomUUID())).status).toBe(404)
    for (const bad of [undefined, 'x', 7]) expect((await read(ada, bad)).status).toBe(400)
    const unsigned = await reader.request('POST', '/notifications/read', { body: { up_to: newest } })
    expect(unsigned.status).toBe(401)
    expect((await list(ada)).unread_count).toBe(3)
  })
})

describe('old notifications', () => {
  let owner: Database
  let sweeper: TestFunction
  beforeAll(async () => {
    owner = openDatabase({
      ...{ url: database.ownerUrl, poolMax: 1, name: 'test' },
      log: createLog({}, 'error'),
    })
    sweeper = await startFunction(sweep, {
      NOTIFICATIONS_DATABASE_URL: database.url,
      BROKER_URL: 'http://127.0.0.1:9/',
      NOTIFICATIONS_KEPT_DAYS: '100',
    })
  })
  afterAll(async () => {
    await sweeper.stop()
    await owner.close()
  })

  /** Stores notifications of so many days ago, and resolves with the id of the last. */
  const store = async (user: string, days: number, { count = 1, isRead = true } = {}): Promise<string> => {
    const rows = await owner.query<{ id: string }>({
      text: `insert into notifications (id, user_id, event_source, event_id, consumer, event_type, subject, message, read_at)
        select uuidv7(make_interval(days => -$2::int)), $1, '/old', uuidv7(), 'notify', 'a.b', 's', 'm',
          case when $4 then now() end
        from generate_series(1, $3) returning id`,
      values: [user, days, count, isRead],
    })
    return rows.at(-1)!.id
  }
  const idsOf = async (user: string) => (await list(user, '?limit=200')).items.map(({ id }) => id).reverse()
  const sweepUntilLeft = (user: string, left: string[]) =>
    until(
      async () => {
        await deliverTick(sweeper, 'sweep-notifications')
        return (await idsOf(user)).join() === left.join()
      },
      { what: `only ${left.join()} to be left` },
    )

  test('are deleted in steps, read or not; others stay', async () => {
    const user = randomUUID()
    await store(user, 101, { count: 1_500 })
    await store(user, 101, { isRead: false })
    const left = [await store(user, 99), await store(user, 99, { isRead: false }), await store(user, 0)]
    await sweepUntilLeft(user, left)
    expect(await list(user)).toMatchObject({ unread_count: 1 })
  })

  test('stay until their messages are deleted and their events are published', async () => {
    const user = randomUUID()
    const [sent, waiting, latest] = [await store(user, 300), await store(user, 200), await store(user, 101)]
    await owner.query({
      text: `insert into messages (notification_id, user_id, channel, kind, content, status, finished_at)
        values ($1, $2, 'email', 'usual', '{}', 'sent', now())`,
      values: [sent, user],
    })
    await owner.query({
      text: `insert into outbox_pending (event_ids, claimed_until) values (array[event_id_of($1)], 'infinity')`,
      values: [waiting],
    })
    expect(await idsOf(user)).toEqual([sent, waiting, latest])
    await sweepUntilLeft(user, [sent, waiting])
    await owner.query({ text: `update messages set finished_at = now() - interval '91 days'` })
    await owner.query({ text: 'delete from outbox_pending' })
    await sweepUntilLeft(user, [])
  })

  test('are deleted in each sweep, however much of another kind there is', async () => {
    const user = randomUUID()
    await store(user, 101)
    const { db: swept } = sweeper.tools
    const [query, now] = [swept.query, performance.now.bind(performance)]
    let ahead = 0
    const time = jest.spyOn(performance, 'now').mockImplementation(() => now() + ahead)
    // Messages come first, and take all the time that there is.
    const asked = jest.spyOn(swept, 'query').mockImplementation((statement) => {
      if (statement.text.startsWith('delete from messages')) ahead = 60_000
      return query(statement)
    })
    try {
      await deliverTick(sweeper, 'sweep-notifications')
    } finally {
      asked.mockRestore()
      time.mockRestore()
    }
    expect([ahead, await idsOf(user)]).toEqual([60_000, []])
  })

  test('all stay if they are kept for longer than there are clocks that count from 1970', async () => {
    const user = randomUUID()
    const left = [await store(user, 500), await store(user, 0)]
    const patient = await startFunction(sweep, {
      NOTIFICATIONS_DATABASE_URL: database.url,
      BROKER_URL: 'http://127.0.0.1:9/',
      NOTIFICATIONS_KEPT_DAYS: '36500',
    })
    try {
      expect((await deliverTick(patient, 'sweep-notifications')).status).toBe(204)
      expect(await idsOf(user)).toEqual(left)
    } finally {
      await patient.stop()
    }
  })
})

test.each(['99', '0', '1.5', 'never'])('a bank can’t keep notifications for %s days', async (days) => {
  const started = startFunction(sweep, {
    NOTIFICATIONS_DATABASE_URL: database.url,
    NOTIFICATIONS_KEPT_DAYS: days,
  })
  await expect(started).rejects.toThrow(/NOTIFICATIONS_KEPT_DAYS .* from 100 to 36500/)
})
