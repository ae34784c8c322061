import pg from 'pg'
import { emptyDatabase } from '../../tests/support/databases.ts'
import type { TestDatabase } from '../../tests/support/databases.ts'
import { startSilentProxy } from '../../tests/support/silent-proxy.ts'
import { until } from '../../tests/support/until.ts'
import { createLog } from '../../monitoring/log.ts'
import { manifestsOf, quiet, startSubscriber, startTestBroker } from './broker-fixture.ts'
import { openPostgresQueue } from './postgres.ts'
import { QueueUnavailableError } from './queue.ts'
import { topologyOf } from './topology.ts'

let database: TestDatabase

beforeAll(async () => {
  database = await emptyDatabase('broker')
})
afterAll(() => database.drop())

test('if connections are cut under load, no confirmed event is lost and none is stuck', async () => {
  const subscriber = await startSubscriber()
  const manifests = manifestsOf([{ name: 'all', parallelism: 20 }])
  const broker = await startTestBroker({ postgresUrl: database.ownerUrl }, manifests, subscriber.url)
  const administrator = new pg.Client(database.superuserUrl)
  await administrator.connect()

  const confirmed: string[] = []
  let isSending = true
  const sender = async (name: string) => {
    for (let i = 0; isSending; i++)
      if ((await broker.send({ id: `${name}-${i}` })).status === 202) confirmed.push(`${name}-${i}`)
  }
  const senders = Array.from({ length: 8 }, (_, i) => sender(`s${i}`))
  for (let round = 1; round <= 5; round++) {
    const { rowCount } = await administrator.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
        where application_name like 'broker%' and datname = current_database()`,
    )
    expect(rowCount).toBeGreaterThan(0)
    const before = confirmed.length
    await until(() => confirmed.length > before + 100)
  }
  isSending = false
  await Promise.all(senders)
  await until(() => {
    const arrived = new Set(subscriber.ids('/all'))
    return confirmed.every((id) => arrived.has(id))
  })
  await until(async () => (await broker.status()).triggers[0]!.backlog === 0, { what: 'an empty queue' })

  await administrator.end()
  await broker.stop()
  await subscriber.stop()
})

test('an event is delivered even if the answer of the statement that took it was lost', async () => {
  const lines: string[] = []
  const log = createLog({}, 'warn', (line) => lines.push(line))
  const topology = topologyOf(manifestsOf([{ name: 'taken' }]))
  const [route] = topology.triggers
  const queue = await openPostgresQueue({ url: database.ownerUrl, topology, log })
  const publish = (id: string) =>
    queue.publish({ attributes: { specversion: '1.0', id, source: '/s', type: 't' }, data: Buffer.alloc(0) })
  const handled: (string | undefined)[] = []
  let letGo: () => void = () => undefined
  const held = new Promise<void>((resolve) => (letGo = resolve))
  const consumer = queue.consume({ queue: route!.queue, parallelism: 1 }, async ({ attributes }) => {
    handled.push(attributes.id)
    await held
    return { kind: 'done' }
  })
  await publish('first')
  await until(() => handled.length === 1)
  await publish('second')

  // A lost answer leaves jobs marked as taken. The renamed table then makes the consumer's next statement
  // fail, which tells it of the loss.
  const administrator = new pg.Client(database.superuserUrl)
  await administrator.connect()
  await administrator.query(`update broker.job set state = 'active' where name = $1`, [route!.queue])
  await administrator.query('alter table broker.job rename to away')
  letGo()
  await until(() => lines.some((line) => line.includes('could not be taken')))
  await administrator.query('alter table broker.away rename to job')
  await until(async () => (await queue.backlogs()).get(route!.queue) === 0)
  expect(handled).toContain('second')
  await administrator.end()
  await consumer.stop()
  await queue.close()
})

test('an event is delivered at once, without waiting for a poll', async () => {
  const arrivals: (() => void)[] = []
  const subscriber = await startSubscriber(() => {
    arrivals.shift()?.()
    return { status: 200 }
  })
  const manifests = manifestsOf([{ name: 'prompt', parallelism: 1 }])
  const broker = await startTestBroker({ postgresUrl: database.ownerUrl }, manifests, subscriber.url)
  // The events are sent one after the other. If each waited for the poll of 5 s, the test would exceed its
  // time-out of 300 s.
  for (let i = 0; i < 100; i++) {
    const arrived = new Promise<void>((resolve) => arrivals.push(resolve))
    await broker.send()
    await arrived
  }
  await broker.stop()
  await subscriber.stop()
})

test('the queue of a removed Trigger is kept and reported', async () => {
  const lines: string[] = []
  const log = createLog({}, 'warn', (line) => lines.push(line))
  const { ownerUrl: url } = database
  const topology = topologyOf(manifestsOf([{ name: 'stays' }, { name: 'removed' }]))
  const before = await openPostgresQueue({ url, topology, log })
  const attributes = { specversion: '1.0', id: '1', source: '/s', type: 't' }
  await before.publish({ attributes, data: Buffer.alloc(0) })
  await before.close()
  expect(lines).toEqual([])

  const [stays, removed] = topology.triggers
  const after = await openPostgresQueue({ url, topology: { ...topology, triggers: [stays!] }, log })
  await after.close()
  expect(lines.map((line) => JSON.parse(line) as object)).toEqual([
    expect.objectContaining({ queue: removed!.queue, events: 1 }),
  ])
})

const event = (id: string) => ({
  attributes: { specversion: '1.0', id, source: '/s', type: 't' },
  data: Buffer.alloc(0),
})

/** Starts a queue and its consumer, which reach Postgres through a proxy that can fall silent. */
async function behindProxy(name: string) {
  const proxy = await startSilentProxy(database.ownerUrl)
  const topology = topologyOf(manifestsOf([{ name }]))
  const url = proxy.through(database.ownerUrl)
  const queue = await openPostgresQueue({ url, topology, log: quiet })
  const handled = new Set<string>()
  const lane = { queue: topology.triggers[0]!.queue, parallelism: 4 }
  const consumer = queue.consume(lane, async ({ attributes }) => {
    handled.add(attributes.id!)
    return { kind: 'done' }
  })
  const stop = async () => {
    await consumer.stop()
    await queue.close()
    await proxy.stop()
  }
  return { proxy, queue, handled, stop }
}

test('while Postgres is silent, all waiting publishers are refused whatever the clock says; afterwards everything works again', async () => {
  const { proxy, queue, handled, stop } = await behindProxy('silent')
  const published = (id: string) => until(() => queue.publish(event(id)).then(() => true))
  await published('before')
  await until(() => handled.has('before'))

  proxy.silence()
  const waiting = Array.from({ length: 20 }, (_, n) => queue.publish(event(`meanwhile-${n}`)))
  // The clock is set two hours back: a deadline by the clock would then be two hours away.
  const now = Date.now.bind(Date)
  const clock = jest.spyOn(Date, 'now').mockImplementation(() => now() - 7_200_000)
  for (const { status, ...rest } of await Promise.allSettled(waiting))
    expect([status, rest]).toEqual(['rejected', { reason: expect.any(QueueUnavailableError) }])
  clock.mockRestore()

  proxy.heal()
  await published('after')
  await until(() => handled.has('after'))
  await stop()
})

test('events that were stored before the clock was set back are still delivered', async () => {
  const topology = topologyOf(manifestsOf([{ name: 'later' }]))
  const queue = await openPostgresQueue({ url: database.ownerUrl, topology, log: quiet })
  await queue.publish(event('early'))
  const administrator = new pg.Client(database.superuserUrl)
  await administrator.connect()
  const lane = { queue: topology.triggers[0]!.queue, parallelism: 1 }
  await administrator.query(
    `update broker.job set start_after = start_after + interval '2 hours',
      created_on = created_on + interval '2 hours' where name = $1`,
    [lane.queue],
  )
  await administrator.end()
  const handled: string[] = []
  const consumer = queue.consume(lane, async ({ attributes }) => {
    handled.push(attributes.id!)
    return { kind: 'done' }
  })
  await until(() => handled.includes('early'))
  await consumer.stop()
  await queue.close()
})
