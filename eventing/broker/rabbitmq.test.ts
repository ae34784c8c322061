import { connect } from 'amqplib'
import type { Channel, ChannelModel } from 'amqplib'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startRabbitmq, type RabbitmqNode } from '../../knative/local/servers/rabbitmq.ts'
import { createLog } from '../../monitoring/log.ts'
import { isHeartbeat, startSilentProxy } from '../../tests/support/silent-proxy.ts'
import { freeze } from '../../tests/support/signal.ts'
import { until } from '../../tests/support/until.ts'
import {
  manifestsOf,
  quickly,
  quiet,
  removeFromRabbitmq,
  startSubscriber,
  startTestBroker,
} from './broker-fixture.ts'
import type { Subscriber, TestBroker } from './broker-fixture.ts'
import type { BrokerManifests } from './manifests.ts'
import { QueueUnavailableError } from './queue.ts'
import { watchQueue } from './queue-watch.ts'
import { openRabbitmqQueue } from './rabbitmq.ts'
import { topologyOf } from './topology.ts'

/** What the Broker does on RabbitMQ itself, and what it does while RabbitMQ is away. */

const amqpUrl = process.env.TEST_AMQP_URL!
const open: (() => Promise<unknown>)[] = []
const used: BrokerManifests[] = []
let connection: ChannelModel
let raw: Channel

beforeEach(async () => {
  connection = await connect(amqpUrl)
  raw = await connection.createChannel()
})
afterEach(async () => {
  for (const stop of open.splice(0).reverse()) await stop()
  await removeFromRabbitmq(amqpUrl, used.splice(0))
  await connection.close()
})

async function start(manifests: BrokerManifests, url = amqpUrl): Promise<[TestBroker, Subscriber]> {
  if (url === amqpUrl) used.push(manifests)
  const subscriber = await startSubscriber()
  open.push(() => subscriber.stop())
  const broker = await startTestBroker({ amqpUrl: url }, manifests, subscriber.url)
  open.push(() => broker.stop())
  return [broker, subscriber]
}

/** Returns manifests of Triggers that nobody consumes, so that their events stay where a test can look at
 * them. */
function unconsumed(...triggers: Parameters<typeof manifestsOf>[0]): BrokerManifests {
  const manifests = manifestsOf(triggers)
  for (const { spec } of manifests.triggers) spec.subscriber = { uri: 'nowhere' }
  return manifests
}

test('an event is a persistent message with its attributes as headers and its data as the body', async () => {
  const manifests = unconsumed({ name: 'watched' })
  const [broker] = await start(manifests)
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const attributes = { id: 'wire', subject: 's', time: '2026-08-01T10:00:00Z', partitionkey: 'k' }
  await broker.send(attributes, 'data', { headers: { 'content-type': 'text/plain', traceparent } })
  const message = await until(() => raw.get(topologyOf(manifests).triggers[0]!.queue, { noAck: true }))
  expect(message.content.toString()).toBe('data')
  expect(message.properties).toMatchObject({ contentType: 'text/plain', messageId: 'wire', deliveryMode: 2 })
  // Newer versions of RabbitMQ count deliveries in a header of their own.
  const { 'x-delivery-count': _, ...headers } = message.properties.headers!
  expect(headers).toEqual({
    specversion: '1.0',
    source: '/tests',
    type: 'tested',
    'content-type': 'text/plain',
    traceparent,
    tracestate: '',
    ...attributes,
  })
})

test('exchanges are durable headers exchanges, queues durable quorum queues', async () => {
  const manifests = unconsumed({ name: 'watched', delivery: {} })
  await start(manifests)
  const { exchange, deadLetters, triggers } = topologyOf(manifests)
  const own = triggers[0]!.deadLetters
  // A second declaration succeeds only with the same settings.
  for (const name of [exchange, deadLetters.exchange, own.exchange])
    await raw.assertExchange(name, 'headers', { durable: true })
  const version = parseInt(String(connection.connection.serverProperties.version))
  const unlimited = version >= 4 && { 'x-delivery-limit': -1 }
  for (const queue of [triggers[0]!.queue, deadLetters.queue, own.queue])
    await raw.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'quorum', ...unlimited } })
})

test('an event is still in its queue after 25 consumers took it and broke off', async () => {
  const manifests = unconsumed({ name: 'watched', delivery: {} })
  await start(manifests)
  const { exchange, triggers } = topologyOf(manifests)
  const { queue, deadLetters } = triggers[0]!
  // From RabbitMQ 4 on, its own limit is 20.
  for (const [to, from] of [
    [exchange, queue],
    [deadLetters.exchange, deadLetters.queue],
  ] as const) {
    raw.publish(to, '', Buffer.from('kept'), { persistent: true })
    for (let times = 0; times < 25; times++) {
      const consumer = await connection.createChannel()
      await until(() => consumer.get(from))
      await consumer.close()
    }
    expect((await until(() => raw.get(from))).content.toString()).toBe('kept')
  }
})

test('a message from another program is read even if its headers have ce- prefixes, capitals or x- names', async () => {
  const manifests = manifestsOf([{ name: 'reader' }])
  const [, subscriber] = await start(manifests)
  raw.publish(topologyOf(manifests).exchange, '', Buffer.from('1'), {
    contentType: 'application/json',
    headers: {
      'ce-specversion': '1.0',
      'CE-Id': '1',
      'ce-source': '/s',
      type: 't',
      count: 3,
      'x-other': 'no',
    },
  })
  const [received] = await until(() => subscriber.received.length > 0 && subscriber.received)
  const expected = { 'ce-id': '1', 'ce-source': '/s', 'ce-type': 't', 'ce-count': '3' }
  expect(received!.headers).toMatchObject({ ...expected, 'content-type': 'application/json' })
  expect(Object.keys(received!.headers).filter((name) => name.startsWith('ce-'))).toHaveLength(5)
})

test('a message that is no CloudEvent becomes a dead letter and does not hold up others', async () => {
  const sink = { ref: { kind: 'Service', name: 'sink' } }
  const manifests = manifestsOf([{ name: 'reader', delivery: quickly(1, { deadLetterSink: sink }) }])
  const [broker, subscriber] = await start(manifests)
  raw.publish(topologyOf(manifests).exchange, '', Buffer.from('rubbish'), { headers: { a: 1 } })
  await broker.send({ id: 'good' })
  await until(() => subscriber.ids('/reader').includes('good') && subscriber.ids('/sink').length > 0)
  const letter = subscriber.received.find(({ path }) => path === '/sink')!
  expect(letter.body.toString()).toBe('rubbish')
  expect(letter.headers['ce-type']).toBe('dev.knative.rabbitmq.event')
})

test('a changed filter replaces the old binding, and the queue of a removed Trigger is reported', async () => {
  const before = unconsumed({ name: 'changed', filter: { type: 'old' } }, { name: 'removed' })
  const { namespace } = before.broker.metadata
  const [first] = await start(before)
  await first.send({ id: '1', type: 'old' })
  await first.stop()

  const after = manifestsOf([{ name: 'changed', filter: { type: 'new' } }], { namespace: namespace! })
  after.triggers[0]!.spec.subscriber = { uri: 'nowhere' }
  const lines: string[] = []
  const log = createLog({}, 'warn', (line) => lines.push(line))
  const queue = await openRabbitmqQueue({ url: amqpUrl, topology: topologyOf(after), log })
  for (const type of ['old', 'new'])
    await queue.publish({
      attributes: { specversion: '1.0', id: type, source: '/s', type },
      data: Buffer.alloc(0),
    })
  await queue.close()

  const [changed, removed] = topologyOf(before).triggers.map((route) => route.queue)
  const idsIn = async (name: string) => {
    const ids: unknown[] = []
    for (let got = await raw.get(name); got; got = await raw.get(name)) ids.push(got.properties.messageId)
    return ids
  }
  expect(await idsIn(changed!)).toEqual(['1', 'new'])
  expect(await idsIn(removed!)).toEqual(['1'])
  const report = lines.map((line) => JSON.parse(line) as object)
  expect(report).toEqual([expect.objectContaining({ level: 'warn', queue: removed, events: 1 })])
})

test('a queue that is deleted while the Broker runs is made again', async () => {
  const manifests = manifestsOf([{ name: 'deleted' }])
  const [broker, subscriber] = await start(manifests)
  await broker.send({ id: 'before' })
  await until(() => subscriber.ids('/deleted').includes('before'))
  await raw.deleteQueue(topologyOf(manifests).triggers[0]!.queue)
  await until(async () => {
    await broker.send({ id: 'after' })
    return subscriber.ids('/deleted').includes('after')
  })
})

test('if RabbitMQ can’t be reached, the start fails with the reason', async () => {
  const topology = topologyOf(manifestsOf([]))
  const wrong = new URL(amqpUrl)
  wrong.password = 'wrong'
  await expect(openRabbitmqQueue({ url: wrong.href, topology, log: quiet })).rejects.toThrow(
    /ACCESS.REFUSED|403/,
  )
})

/** Sets a heartbeat of two seconds, so that a test notices the silence soon. */
const impatient = (url: string): string => {
  const changed = new URL(url)
  changed.searchParams.set('heartbeat', '2')
  return changed.href
}

/** Opens a queue behind a proxy that can keep RabbitMQ from answering. */
async function openThroughProxy(more: Partial<Parameters<typeof openRabbitmqQueue>[0]> = {}) {
  const proxy = await startSilentProxy(amqpUrl)
  open.push(() => proxy.stop())
  const manifests = manifestsOf([{ name: 'all' }])
  used.push(manifests)
  const topology = topologyOf(manifests)
  const url = impatient(proxy.through(amqpUrl))
  const queue = await openRabbitmqQueue({ url, topology, log: quiet, ...more })
  open.push(() => queue.close())
  return { proxy, topology, queue }
}

describe('when RabbitMQ falls silent', () => {
  test('publishing fails in time, whatever the clock says, and works again over a new connection', async () => {
    const { proxy, topology, queue } = await openThroughProxy()
    const handled = new Set<string>()
    const consumer = queue.consume({ queue: topology.triggers[0]!.queue, parallelism: 4 }, async (event) => {
      handled.add(event.attributes.id!)
      return { kind: 'done' }
    })
    open.push(() => consumer.stop())
    const publish = (id: string) =>
      queue.publish({
        attributes: { specversion: '1.0', id, source: '/s', type: 't' },
        data: Buffer.alloc(0),
      })
    await until(() => publish('before').then(() => true))
    await until(() => handled.has('before'))

    proxy.silence()
    const waiting = Array.from({ length: 20 }, (_, n) => publish(`meanwhile-${n}`))
    // The clock is set two hours back: a deadline by the clock would then be two hours away.
    const now = Date.now.bind(Date)
    const clock = jest.spyOn(Date, 'now').mockImplementation(() => now() - 7_200_000)
    for (const { status, ...rest } of await Promise.allSettled(waiting))
      expect([status, rest]).toEqual(['rejected', { reason: expect.any(QueueUnavailableError) }])
    clock.mockRestore()

    proxy.heal()
    const published = () => publish('after').then(() => true)
    await until(published)
    await until(() => handled.has('after'))
  })

  test('about confirms alone, its connection is given up and the next one publishes', async () => {
    const onUnanswered = jest.fn()
    const { proxy, queue } = await openThroughProxy({ onUnanswered, confirmMs: 6_000 })
    const publish = () =>
      queue.publish({
        attributes: { specversion: '1.0', id: randomUUID(), source: '/s', type: 't' },
        data: Buffer.alloc(0),
      })
    await until(() => publish().then(() => true))
    proxy.swallowAnswers(isHeartbeat)
    await expect(publish()).rejects.toThrow('the confirm of RabbitMQ took too long')
    expect(onUnanswered).not.toHaveBeenCalled()
    proxy.heal()
    await until(() => publish().then(() => true))
    expect(onUnanswered).toHaveBeenCalledTimes(1)
  })
})

describe('when RabbitMQ answers late', () => {
  /** A queue whose RabbitMQ gives no sign but heartbeats once it is told to. */
  async function openSlow() {
    const { proxy, queue } = await openThroughProxy()
    return { queue, slowDown: () => proxy.swallowAnswers(isHeartbeat) }
  }

  test('it is there, nobody knows what waits, and it is asked no more until it has answered', async () => {
    const { queue, slowDown } = await openSlow()
    const backlogs = jest.spyOn(queue, 'backlogs')
    const patient = watchQueue(queue, { answerMs: 60_000 })
    expect(await patient()).toEqual({ reason: '', backlogs: expect.any(Map) })
    slowDown()
    const stateOf = watchQueue(queue, { answerMs: 1, silentMs: Infinity })
    for (let times = 0; times < 3; times++)
      expect(await stateOf()).toEqual({ reason: '', backlogs: undefined })
    expect(backlogs).toHaveBeenCalledTimes(2)
  })

  test('it counts as away after a while without any answer', async () => {
    const { queue, slowDown } = await openSlow()
    slowDown()
    const away = { reason: 'the queue does not answer', backlogs: undefined }
    expect(await watchQueue(queue, { answerMs: 1, silentMs: 0 })()).toEqual(away)
  })

  test('after an outage a late answer does not make it away, although one was late before', async () => {
    const clock = jest.spyOn(performance, 'now').mockReturnValue(0)
    open.push(async () => clock.mockRestore())
    let breakOff!: (error: Error) => void
    const late = new Promise<never>((_, reject) => (breakOff = reject))
    const backlogs = jest.fn(() => new Promise<never>(() => undefined))
    backlogs.mockReturnValueOnce(late).mockRejectedValueOnce(new Error('RabbitMQ is away'))
    const stateOf = watchQueue({ backlogs }, { answerMs: 1 })
    expect(await stateOf()).toEqual({ reason: '', backlogs: undefined })
    breakOff(new Error('the connection is closed'))
    clock.mockReturnValue(60_000)
    expect(await stateOf()).toMatchObject({ reason: 'RabbitMQ is away' })
    expect(await stateOf()).toEqual({ reason: '', backlogs: undefined })
  })

  test('it is away while there is no connection, and there again when it has answered', async () => {
    const proxy = await startSilentProxy(amqpUrl)
    open.push(() => proxy.stop())
    const manifests = manifestsOf([{ name: 'all' }])
    used.push(manifests)
    const [broker] = await start(manifests, impatient(proxy.through(amqpUrl)))
    proxy.silence()
    const gone = await until(async () =>
      (await broker.status()).triggers.find(({ reason }) => reason === 'RabbitMQ is away'),
    )
    expect(gone).toMatchObject({ ready: false, backlog: null, deadLetters: null })
    proxy.heal()
    const back = await until(async () =>
      (await broker.status()).triggers.find(({ backlog }) => backlog === 0),
    )
    expect(back).toMatchObject({ ready: true, reason: '' })
  })
})

describe('on a RabbitMQ of its own', () => {
  let dataDir: string
  let node: RabbitmqNode
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'broker-rabbitmq-'))
    node = await startRabbitmq({ dataDir })
  })
  afterAll(async () => {
    await node?.stop()
    await rm(dataDir, { recursive: true, force: true })
  })

  test('when it hangs and answers again later, every confirmed event arrives', async () => {
    const manifests = manifestsOf([{ name: 'all', delivery: quickly(3) }])
    const [broker, subscriber] = await start(manifests, impatient(node.url))
    const confirmed: string[] = []
    const send = async (id: string): Promise<number> => {
      const { status } = await broker.send({ id })
      if (status === 202) confirmed.push(id)
      return status
    }
    for (let n = 0; n < 50; n++) await send(`before-${n}`)
    await freeze([node.pid])
    try {
      expect(await Promise.all([send('meanwhile'), send('too')])).toEqual([503, 503])
    } finally {
      process.kill(node.pid, 'SIGCONT')
    }
    await until(async () => (await send('after')) === 202)
    await until(() => confirmed.every((id) => subscriber.ids('/all').includes(id)))
  })

  test('when it is killed and comes back, the Broker is not ready and answers 503 meanwhile, and no confirmed event is lost', async () => {
    const [broker, subscriber] = await start(manifestsOf([{ name: 'all', delivery: quickly(3) }]), node.url)

    const confirmed: string[] = []
    let isSending = true
    const sender = async (name: string) => {
      for (let i = 0; isSending; i++) {
        const { status } = await broker.send({ id: `${name}-${i}` })
        if (status === 202) confirmed.push(`${name}-${i}`)
      }
    }
    const senders = Array.from({ length: 8 }, (_, i) => sender(`s${i}`))
    await until(() => confirmed.length > 200)
    process.kill(node.pid, 'SIGKILL')
    await until(async () => !(await broker.status()).ready, { what: 'the Broker to be not ready' })
    expect((await broker.send({ id: 'meanwhile' })).status).toBe(503)

    const { port } = node
    await node.stop()
    node = await startRabbitmq({ dataDir, port })
    await until(async () => (await broker.status()).ready, {
      what: 'the Broker to be ready',
    })
    const before = confirmed.length
    await until(() => confirmed.length > before + 200)
    isSending = false
    await Promise.all(senders)
    await until(() => {
      const arrived = new Set(subscriber.ids('/all'))
      return confirmed.every((id) => arrived.has(id))
    })
  })
})
