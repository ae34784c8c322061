import type { Channel, ConsumeMessage } from 'amqplib'

/** Acknowledges the messages of one channel in few frames. All that were settled in one turn of the event
 * loop, up to the first that is still under way, share one frame. Each frame costs a system call here, and
 * on a quorum queue an entry in RabbitMQ's log. */
export class Acknowledger {
  readonly #channel: Channel
  /** Delivery tags of the messages under way, in rising order: RabbitMQ counts them per channel. */
  readonly #underWay = new Set<number>()
  #done: ConsumeMessage[] = []

  constructor(channel: Channel) {
    this.#channel = channel
  }

  /** Must be called for each message as it arrives. */
  took({ fields }: ConsumeMessage): void {
    this.#underWay.add(fields.deliveryTag)
  }

  done(message: ConsumeMessage): void {
    this.#underWay.delete(message.fields.deliveryTag)
    if (this.#done.push(message) === 1) setImmediate(() => this.flush())
  }

  /** Gives a message back to its queue. */
  return(message: ConsumeMessage): void {
    this.#underWay.delete(message.fields.deliveryTag)
    try {
      this.#channel.nack(message, false, true)
    } catch {
      // As in flush(): it has gone back with its channel.
    }
  }

  flush(): void {
    const done = this.#done.sort((a, b) => a.fields.deliveryTag - b.fields.deliveryTag)
    this.#done = []
    const [firstUnderWay = Infinity] = this.#underWay
    const together = done.filter(({ fields }) => fields.deliveryTag < firstUnderWay)
    try {
      if (together.length > 0) this.#channel.ack(together.at(-1)!, true)
      for (const message of done.slice(together.length)) this.#channel.ack(message)
    } catch {
      // The channel is closed. RabbitMQ has its messages back and delivers them again.
    }
  }
}
