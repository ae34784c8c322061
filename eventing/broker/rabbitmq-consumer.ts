import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib'
import type { Log } from '../../monitoring/log.ts'
import type { EventMessage } from '../message.ts'
import type { Handler, Lane, Settlement } from './queue.ts'
import { Acknowledger } from './rabbitmq-acknowledger.ts'
import { fromMessage, wrapMessage } from './rabbitmq-message.ts'

type PublishTo = (exchange: string, event: EventMessage) => Promise<void>

/**
 * Takes events from one queue, on a channel of its own, and settles each after its handler. Prefetch is the
 * lane's parallelism (the original takes 100): what isn't being worked on stays on RabbitMQ.
 */
export class RabbitmqConsumer {
  readonly lane: Lane
  readonly #handler: Handler
  readonly #publishTo: PublishTo
  readonly #log: Log
  readonly #settling = new Set<Promise<void>>()
  /** Ends the attempts for the events of the present channel. */
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

  /** Events that were taken and are not settled yet. */
  get underWay(): number {
    return this.#settling.size
  }

  /** Starts on a fresh channel; when that closes the connection is closed with it. */
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
      // null: RabbitMQ ended the consumer, for its queue was deleted. Reconnecting makes the queue again.
      if (message === null) return end()
      acknowledger.took(message)
      const settled = this.#settle(acknowledger, message, release.signal)
      this.#settling.add(settled)
      void settled.finally(() => this.#settling.delete(settled))
    })
    this.#cancel = () => channel.cancel(consumerTag)
    if (this.#stopped) await this.#cancel() // In the meantime.
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#cancel().catch(() => undefined) // Without its channel it takes nothing any more either.
    this.#release.abort()
    await Promise.all(this.#settling)
    this.#acknowledger?.flush()
  }

  async #settle(acknowledger: Acknowledger, message: ConsumeMessage, signal: AbortSignal): Promise<void> {
    try {
      const settlement = await this.#handle(message, signal)
      if (settlement.kind === 'return') return acknowledger.return(message)
      // Confirmed first, acknowledged second: a crash in between doubles the dead letter and loses none.
      if (settlement.kind === 'dead-letter')
        await this.#publishTo(this.lane.deadLetters!.exchange, settlement.event)
      acknowledger.done(message)
    } catch (error) {
      // The channel is gone, and with it the message went back; or the dead letter could not be stored.
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
