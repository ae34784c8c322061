import { connect } from 'amqplib'
import type { Channel, ChannelModel } from 'amqplib'
import { setTimeout as pause } from 'node:timers/promises'
import type { Log } from '../../monitoring/log.ts'
import type { EventMessage } from '../message.ts'
import { PUBLISH_DEADLINE_MS, QueueUnavailableError, within } from './queue.ts'
import type { BrokerQueue } from './queue.ts'
import { boundClose } from './rabbitmq-close.ts'
import { RabbitmqConsumer } from './rabbitmq-consumer.ts'
import { toMessage, type EventOnQueue } from './rabbitmq-message.ts'
import { RabbitmqPublisher, type Destinations } from './rabbitmq-publisher.ts'
import { declareTopology } from './rabbitmq-topology.ts'
import { binds, deadLettersOf } from './topology.ts'
import type { Topology } from './topology.ts'

export interface RabbitmqQueueOptions {
  /** amqp:// or amqps:// */
  url: string
  topology: Topology
  log: Log
  /** Called whenever a connection is given up because RabbitMQ did not confirm an event, or could not be
   * prepared, although it can be reached. */
  onUnanswered?: (() => void) | undefined
  /** Time to declare everything, and time until a confirm is overdue; a test has less of them. */
  setupMs?: number
  confirmMs?: number
}

/** Time to connect, in ms. A node that is starting or has fallen silent may accept a connection and not
 * answer. */
const CONNECT_MS = 10_000
/** Time to declare the whole topology, in ms. */
const SETUP_MS = 30_000
/** Attempts before the first connection counts as hopeless (a wrong URL, a wrong password): about 10 s. */
const FIRST_ATTEMPTS = 7

/**
 * Opens a Broker's queue on RabbitMQ. Rejects if RabbitMQ can't be reached at all; later it reconnects for
 * ever.
 *
 * There is one way to recover: any fault of a channel ends the connection, and a new connection declares the
 * topology again and starts all consumers. Events that were not settled come again, and events that were not
 * confirmed are sent again.
 */
export async function openRabbitmqQueue(options: RabbitmqQueueOptions): Promise<BrokerQueue> {
  const { url, topology, log, onUnanswered, setupMs = SETUP_MS, confirmMs } = options
  const consumers = new Set<RabbitmqConsumer>()
  const gate = new Gate()
  let model: ChannelModel | undefined
  let probe: Channel | undefined

  const setUp = async (connection: ChannelModel): Promise<void> => {
    boundClose(connection)
    connection.on('error', () => undefined) // 'close' follows and reports the same.
    await declareTopology(connection, topology, log)
    const confirms = fatalChannel(connection, await connection.createConfirmChannel())
    const giveUp = (): void => {
      log.warn('RabbitMQ does not confirm an event; its connection is given up')
      onUnanswered?.()
      void connection.close().catch(() => undefined)
    }
    probe = fatalChannel(connection, await connection.createChannel())
    for (const consumer of consumers) await consumer.start(await connection.createChannel(), connection)
    model = connection
    gate.open(new RabbitmqPublisher(confirms, giveUp, confirmMs))
  }
  const setUpInTime = (connection: ChannelModel): Promise<void> =>
    within(setupMs, 'preparing RabbitMQ', setUp(connection)).catch((error: unknown) => {
      onUnanswered?.()
      throw error
    })
  const publishTo = (exchange: string, event: EventMessage): Promise<void> =>
    publishVia(gate, { exchange }, toMessage(event))

  // Shorter than RabbitMQ's own 60 s: a node that hangs is noticed after two missed heartbeats.
  const recovering = await connect(withHeartbeat(url, 5), {
    timeout: CONNECT_MS,
    // A message is several small writes. With Nagle's algorithm each lone event would wait 40 ms for an ACK.
    noDelay: true,
    keepAlive: true,
    keepAliveDelay: 10_000,
    recovery: {
      initialDelay: 100,
      maxDelay: 3_000,
      initialMaxRetries: FIRST_ATTEMPTS,
      waitForConnect: false, // So that the listeners below also hear of the first attempts.
      setup: setUpInTime,
    },
  })
  recovering.on('error', () => undefined)
  recovering.on('connect', () => log.info('connected to RabbitMQ'))
  recovering.on('connect-failed', (error) =>
    log.info('RabbitMQ cannot be reached yet', { reason: error.message }),
  )
  recovering.on('disconnect', (error) => {
    gate.shut('RabbitMQ is away')
    log.warn('the connection to RabbitMQ is lost', { reason: error.message })
  })
  recovering.on('blocked', (reason) => gate.block(`RabbitMQ takes no events: ${reason}`))
  recovering.on('unblocked', () => gate.unblock())
  await recovering.waitForConnect()

  return {
    publish(event) {
      const message = toMessage(event)
      const [queue, ...others] = wantedBy(topology, message)
      // RabbitMQ would throw it away, and confirm it like any other.
      if (queue === undefined) return Promise.resolve()
      return publishVia(gate, { queue, others }, message)
    },
    consume(lane, handler) {
      const consumer = new RabbitmqConsumer(lane, handler, publishTo, log)
      consumers.add(consumer)
      const connection = model
      const start = async (on: ChannelModel) => consumer.start(await on.createChannel(), on)
      if (gate.isOpen && connection)
        within(setupMs, 'starting a consumer', start(connection)).catch(() => connection.close())
      return { stop: () => consumer.stop().finally(() => consumers.delete(consumer)) }
    },
    async backlogs() {
      if (!gate.isOpen || !probe) throw new QueueUnavailableError(gate.reason)
      const channel = probe
      const sizes = [...topology.triggers, ...deadLettersOf(topology)].map(async ({ queue }) => {
        const { messageCount } = await channel.checkQueue(queue)
        return [queue, messageCount] as const
      })
      const waiting = new Map(await Promise.all(sizes))
      for (const { lane, underWay } of consumers)
        waiting.set(lane.queue, (waiting.get(lane.queue) ?? 0) + underWay)
      return waiting
    },
    async close() {
      gate.shut('the Broker is stopping')
      await recovering.close()
    },
  }
}

function withHeartbeat(url: string, seconds: number): string {
  const withDefault = new URL(url)
  if (!withDefault.searchParams.has('heartbeat')) withDefault.searchParams.set('heartbeat', String(seconds))
  return withDefault.href
}

/** Ends the connection when the channel ends, so that everything starts anew. Returns the channel. */
function fatalChannel<T extends Channel>(connection: ChannelModel, channel: T): T {
  channel.on('error', () => undefined)
  channel.on('close', () => void connection.close().catch(() => undefined))
  return channel
}

/** Returns the queues of the Triggers that want an event, as RabbitMQ itself would find them. It compares the
 * headers of each message with every binding of the exchange, which takes it longer than all of this here. */
function wantedBy({ triggers }: Topology, { options: { headers } }: EventOnQueue): string[] {
  const wanted: string[] = []
  for (const { queue, binding } of triggers) if (binds(binding, headers)) wanted.push(queue)
  return wanted
}

/** Publishes a message with confirm. If the connection breaks before the confirm, publishes it again. */
async function publishVia(gate: Gate, to: Destinations, message: EventOnQueue): Promise<void> {
  const deadline = performance.now() + PUBLISH_DEADLINE_MS
  for (;;) {
    const publisher = await gate.publisher(deadline - performance.now())
    try {
      return await within(
        deadline - performance.now(),
        'the confirm of RabbitMQ',
        publisher.publish(to, message),
      )
    } catch (error) {
      // The attributes are too large for an AMQP table; a repeat would not change that.
      if (error instanceof RangeError || error instanceof TypeError) throw error
      if (performance.now() >= deadline) throw new QueueUnavailableError((error as Error).message)
      await pause(50)
    }
  }
}

/** Lets events through while there is a publisher that RabbitMQ listens to. Else they wait for a while. */
class Gate {
  isOpen = false
  reason = 'RabbitMQ is not connected yet'
  #publisher: RabbitmqPublisher | undefined
  #waiting = new Set<() => void>()

  open(publisher: RabbitmqPublisher): void {
    this.#publisher = publisher
    this.isOpen = true
    for (const wake of this.#waiting) wake()
    this.#waiting.clear()
  }

  shut(reason: string): void {
    this.isOpen = false
    this.reason = reason
  }

  block(reason: string): void {
    this.#publisher?.block()
    this.shut(reason)
  }

  unblock(): void {
    if (!this.#publisher) return
    this.#publisher.unblock()
    this.open(this.#publisher)
  }

  async publisher(waitMs: number): Promise<RabbitmqPublisher> {
    if (!this.isOpen) {
      let wake = (): void => undefined
      const opened = new Promise<void>((resolve) => this.#waiting.add((wake = resolve)))
      await within(waitMs, 'RabbitMQ', opened)
        .catch(() => Promise.reject(new QueueUnavailableError(this.reason)))
        .finally(() => this.#waiting.delete(wake))
    }
    return this.#publisher!
  }
}
