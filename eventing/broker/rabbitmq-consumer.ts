import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib'
import type { Log } from '../../monitoring/log.ts'
import type { EventMessage } from '../message.ts'
import { within } from './queue.ts'
import type { Handler, Lane, Settlement } from './queue.ts'
import { Acknowledger } from './rabbitmq-acknowledger.ts'
import { fromMessage, wrapMessage } from './rabbitmq-message.ts'

/** A queue that has lost its storage never answers this, while its connection lives on. */
const CANCEL_MS = 2_000

type PublishTo = (exchange: string, event: EventMessage) => Promise<void>

/**
 * Takes events from one queue, on a channel of its own, and settles each after its handler. Prefetch is the
 * lane's parallelism (eventing-rabbitmq takes 100): events that nobody works on stay on RabbitMQ.
 */
export class RabbitmqConsumer {
  readonly lane: Lane
  readonly #handler: Handler
  readonly #publishTo: PublishTo
  readonly #log: Log
  readonly #settling = new Set<Promise<void>>()
  /** Ends the attempts for events of the current channel. */
  #release = new AbortController()
  #acknowledger: Acknowledger | undefined
  #cancel: () => Promise<unknown> = () => Promise.resolve()
  #stopped = false

  constructor(lane: Lane, handler: Handler, publishTo: PublishTo, log: Log) {
    this.lane = lane
    this.#handler = handler
    this.#publishTo = publishTo
    this.#log = log
  }

  /** Number of events that were taken and are not settled yet. */
  get underWay(): number {
    return this.#settling.size
  }

  /** Starts on a fresh channel. If the channel closes, the connection is closed too. */
  async start(channel: Channel, connection: ChannelModel): Promise<void> {
    const release = new AbortController()
    this.#release = release
    const end = (): void => void connection.close().catch(() => undefined)
    channel.on('error', (error) => this.#log.warn('RabbitMQ closed a channel', { reason: error.message }))
    channel.on('close', () => {
      release.abort() // RabbitMQ has the events back and will deliver them again.
      if (!this.#stopped) end()
    })
    await channel.prefetch(this.lane.parallelism)
    if (this.#stopped) return
    const acknowledger = (this.#acknowledger = new Acknowledger(channel))
    const { consumerTag } = await channel.consume(this.lane.queue, (message) => {
      // null means that RabbitMQ ended the consumer because its queue was deleted. A new connection makes the
      // queue again.
      if (message === null) return end()
      acknowledger.took(message)
      const settled = this.#settle(acknowledger, message, release.signal)
      this.#settling.add(settled)
      void settled.finally(() => this.#settling.delete(settled))
    })
    this.#cancel = () => channel.cancel(consumerTag)
    if (this.#stopped) await this.#cancel() // It was stopped in the meantime.
  }

  async stop(): Promise<void> {
    this.#stopped = true
    // If this fails or is not answered, events that still come are given back, or go back with the channel.
    await within(CANCEL_MS, 'the end of a consumer', this.#cancel()).catch(() => undefined)
    this.#release.abort()
    await Promise.all(this.#settling)
    this.#acknowledger?.flush()
  }

  async #settle(acknowledger: Acknowledger, message: ConsumeMessage, signal: AbortSignal): Promise<void> {
    try {
      const settlement = await this.#handle(message, signal)
      if (settlement.kind === 'return') return acknowledger.return(message)
      // The dead letter is confirmed before the event is acknowledged: a crash in between doubles it, but
      // loses nothing.
      if (settlement.kind === 'dead-letter')
        await this.#publishTo(this.lane.deadLetters!.exchange, settlement.event)
      acknowledger.done(message)
    } catch (error) {
      // Either the channel is gone and the message is back in its queue, or the dead letter could not be
      // stored.
      if (signal.aborted) return
      this.#log.warn('an event goes back to its queue', { queue: this.lane.queue, reason: String(error) })
      acknowledger.return(message)
    }
  }

  async #handle(message: ConsumeMessage, signal: AbortSignal): Promise<Settlement> {
    if (this.#stopped) return { kind: 'return' }
    let event: EventMessage
    try {
      event = fromMessage(message)
    } catch (error) {
      event = wrapMessage(message, this.lane.queue, (error as Error).message)
      this.#log.warn('a message is not a CloudEvent', {
        queue: this.lane.queue,
        reason: (error as Error).message,
      })
      if (this.lane.deadLetters) return { kind: 'dead-letter', event }
    }
    return this.#handler(event, signal)
  }
}
