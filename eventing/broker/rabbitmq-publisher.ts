import type { ConfirmChannel, Options } from 'amqplib'
import type { EventOnQueue } from './rabbitmq-message.ts'

/** Where an event goes: through an exchange, or straight to a queue and some others. */
export type Destinations = { exchange: string } | { queue: string; others: readonly string[] }

/** A confirm that is later than this, in ms, will not come. */
const CONFIRM_MS_MAX = 15_000

/**
 * Publishes on one channel. Calls `onOverdue` once if RabbitMQ leaves an event unconfirmed although its
 * connection lives: a queue whose log failed on a full disk may go on for everybody else, and never for the
 * channels that it knew.
 */
export class RabbitmqPublisher {
  #channel: ConfirmChannel
  /** Each with the time since when RabbitMQ could have confirmed it. The oldest is first. */
  #unconfirmed = new Set<{ since: number }>()
  #isBlocked = false

  constructor(channel: ConfirmChannel, onOverdue: () => void, maxMs = CONFIRM_MS_MAX) {
    this.#channel = channel
    const look = setInterval(() => {
      const [oldest] = this.#unconfirmed
      if (this.#isBlocked || !oldest || performance.now() - oldest.since < maxMs) return
      clearInterval(look)
      onOverdue()
    }, maxMs / 5).unref()
    channel.on('close', () => clearInterval(look))
  }

  /** Resolves when the event is stored in each queue. Rejects if RabbitMQ refuses it, or the channel ends
   * before. */
  publish(to: Destinations, { content, options }: EventOnQueue): Promise<void> {
    const published = { since: performance.now() }
    // The exchange without a name leads to the queue that the routing key names. RabbitMQ takes more keys in
    // a header, which it removes.
    const [exchange, key, all] =
      'exchange' in to ? [to.exchange, '', options] : ['', to.queue, withOthers(options, to.others)]
    return new Promise<void>((resolve, reject) => {
      this.#channel.publish(exchange, key, content, all, (error: Error | null) => {
        this.#unconfirmed.delete(published)
        if (error) reject(error)
        else resolve()
      })
      this.#unconfirmed.add(published)
    })
  }

  /** RabbitMQ reads nothing until unblock(). */
  block(): void {
    this.#isBlocked = true
  }

  unblock(): void {
    this.#isBlocked = false
    for (const published of this.#unconfirmed) published.since = performance.now()
  }
}

const withOthers = (options: EventOnQueue['options'], queues: readonly string[]): Options.Publish =>
  queues.length === 0 ? options : { ...options, BCC: [...queues] }
