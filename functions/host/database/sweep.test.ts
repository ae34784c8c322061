import { randomUUID } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import sweepIdentity from '../../identity/sweep-identity.ts'
import sweepLedger from '../../ledger/sweep-ledger.ts'
import sweepDocuments from '../../documents/sweep-documents.ts'
import notify from '../../notifications/notify.ts'
import notifications from '../../notifications/notifications.ts'
import sweepNotifications from '../../notifications/sweep-notifications.ts'
import sweepPayments from '../../payments/sweep-payments.ts'
import { testDatabase } from '../../../tests/support/databases.ts'
import { deliverTick } from '../../../tests/support/events.ts'
import { eventKey, startFunction } from '../../../tests/support/host.ts'
import { until } from '../../../tests/support/until.ts'
import { openDatabase } from './database.ts'
import { createLog } from '../../../monitoring/log.ts'
import { binaryHeaders } from '../../../eventing/http-binding.ts'
import { signEvent } from '../../../eventing/signature.ts'
import { transactionCompleted } from '../../../eventing/contracts/transaction.completed.ts'
import { userDeleted } from '../../../eventing/contracts/user.deleted.ts'
import { writeEvents } from '../../../eventing/outbox.ts'

let broker: Server
let brokerAnswers = 202
/** The Broker answers when this is settled. */
let brokerReady: Promise<void> | undefined
let received: string[] = []

beforeAll(async () => {
  broker = createServer((request, response) => {
    if (brokerAnswers === 202) received.push(String(request.headers['ce-id']))
    request.resume()
    void Promise.resolve(brokerReady).then(() => response.writeHead(brokerAnswers).end())
  })
  await new Promise<void>((resolve) => broker.listen(0, '127.0.0.1', resolve))
})

afterAll(() => {
  broker.closeAllConnections()
  broker.close()
})

test.each([sweepIdentity, sweepLedger, sweepNotifications, sweepPayments, sweepDocuments])(
  'a ping makes $name publish what was left in its outbox, or answer 5xx if the Broker is unreachable',
  async (operation) => {
    const database = await testDatabase(operation.context)
    const db = openDatabase({ url: database.url, poolMax: 1, name: 'test', log: createLog({}, 'error') })
    const [event] = await db.transaction((tx) =>
      writeEvents(tx, [{ contract: userDeleted, event: { subject: 's', partitionkey: 'p', data: {} } }], ''),
    )
    await db.query({ text: 'update outbox_pending set claimed_until = now()' })
    const host = await startFunction(operation, {
      [`${operation.context.toUpperCase()}_DATABASE_URL`]: database.url,
      BROKER_URL: `http://127.0.0.1:${(broker.address() as AddressInfo).port}/`,
    })
    const deliver = () => deliverTick(host, operation.name)

    brokerAnswers = 503
    received = []
    expect((await deliver()).status).toBe(503)
    brokerAnswers = 202
    expect((await deliver()).status).toBe(204)
    expect(received).toEqual([event!.id])
    expect(await db.query({ text: 'select from outbox_pending' })).toEqual([])

    await host.stop()
    await db.close()
    await database.drop()
  },
)

test('a process that nobody calls publishes what another left in the outbox', async () => {
  const database = await testDatabase('notifications')
  const db = openDatabase({ url: database.url, poolMax: 1, name: 'test', log: createLog({}, 'error') })
  const host = await startFunction(notifications, {
    NOTIFICATIONS_DATABASE_URL: database.url,
    BROKER_URL: `http://127.0.0.1:${(broker.address() as AddressInfo).port}/`,
  })
  received = []
  brokerAnswers = 503
  const [event] = await db.transaction((tx) =>
    writeEvents(tx, [{ contract: userDeleted, event: { subject: 's', partitionkey: 'p', data: {} } }], ''),
  )
  await db.query({ text: 'update outbox_pending set claimed_until = now()' })
  await until(async () => {
    const [row] = await db.query<{ attempts: number }>({ text: 'select attempts from outbox_pending' })
    return row!.attempts > 0
  })
  brokerAnswers = 202
  await until(() => received.length > 0)
  expect(received).toEqual([event!.id])
  await host.stop()
  await db.close()
  await database.drop()
})

test('a function that is told to stop first publishes the events it has committed', async () => {
  const database = await testDatabase('notifications')
  const host = await startFunction(notify, {
    NOTIFICATIONS_DATABASE_URL: database.url,
    BROKER_URL: `http://127.0.0.1:${(broker.address() as AddressInfo).port}/`,
  })
  let open = (): void => {}
  brokerReady = new Promise((resolve) => (open = resolve))
  received = []
  const body = JSON.stringify(transactionCompleted.example)
  const attributes = {
    specversion: '1.0',
    id: randomUUID(),
    type: transactionCompleted.type,
    source: '/tests',
  }
  const signature = signEvent(attributes, body, eventKey('ledger'))
  await host.request('POST', '/events', {
    body,
    headers: { host: 'sweep.bank.svc.cluster.local', ...binaryHeaders({ ...attributes, signature }) },
  })
  await until(() => received.length === 1)
  const stopped = host.stop()
  await until(() =>
    host.request('GET', '/healthz').then(
      () => false,
      () => true,
    ),
  )
  open()
  await stopped
  brokerReady = undefined
  const db = openDatabase({ url: database.url, poolMax: 1, name: 'test', log: createLog({}, 'error') })
  expect(await db.query({ text: 'select from outbox_pending' })).toEqual([])
  await db.close()
  await database.drop()
})
