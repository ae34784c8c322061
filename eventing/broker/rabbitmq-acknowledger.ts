import type { Channel, ConsumeMessage } from 'amqplib'

/** Acknowledges what one channel delivers, in few frames: what is settled in one turn of the event loop
 * together, by one frame up to the first that is still under way. Each frame is a system call here, and on a
 * quorum queue an entry in RabbitMQ's log. */
export class Acknowledger {
  readonly #channel: Channel
  /** Delivery tags of what is under way, in rising order: RabbitMQ counts on each channel. */
  readonly #underWay = new Set<number>()
  #done: ConsumeMessage[] = []

  constructor(channel: Channel) {
    this.#channel = channel
  }

  /** For each message as it comes. */
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
    this.#channel.nack(message, false, true)
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
      // The channel has closed, and RabbitMQ has the messages back: they come again.
    }
  }
}
