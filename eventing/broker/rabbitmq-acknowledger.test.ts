import { connect } from 'amqplib'
import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib'
import { until } from '../../tests/support/until.ts'
import { Acknowledger } from './rabbitmq-acknowledger.ts'

const QUEUE = 'acknowledger-test'
let connection: ChannelModel
let channel: Channel
let acknowledger: Acknowledger
let messages: ConsumeMessage[]
/** Acknowledgements that were sent: the tag, and whether it covers all earlier tags too. */
let frames: [number, boolean][]

beforeEach(async () => {
  connection = await connect(process.env.TEST_AMQP_URL!)
  channel = await connection.createChannel()
  await channel.assertQueue(QUEUE, { durable: true, arguments: { 'x-queue-type': 'quorum' } })
  acknowledger = new Acknowledger(channel)
  messages = []
  frames = []
  const { ack } = channel
  channel.ack = (message, allUpTo = false) => {
    frames.push([message.fields.deliveryTag, allUpTo])
    ack.call(channel, message, allUpTo)
  }
})

afterEach(async () => {
  const other = await connection.createChannel()
  await other.deleteQueue(QUEUE)
  await connection.close()
})

async function take(count: number): Promise<void> {
  for (let n = 0; n < count; n++) channel.sendToQueue(QUEUE, Buffer.from(String(n)), { persistent: true })
  await channel.consume(QUEUE, (message) => {
    acknowledger.took(message!)
    messages.push(message!)
  })
  await until(() => messages.length === count)
}

/** Resolves with the messages that RabbitMQ still has when the channel is closed and all unacknowledged
 * messages are back. */
async function remaining(): Promise<string[]> {
  await until(() => frames.length > 0)
  await channel.close()
  const other = await connection.createChannel()
  // The queue has them back when it knows that the consumer is gone.
  await until(async () => (await other.checkQueue(QUEUE)).consumerCount === 0, {
    what: 'the end of the consumer',
  })
  const bodies: string[] = []
  for (let got = await other.get(QUEUE); got; got = await other.get(QUEUE))
    bodies.push(got.content.toString())
  await other.close()
  return bodies.sort()
}

test('messages that are done in one turn are acknowledged by one frame, in whatever order they were done', async () => {
  await take(10)
  for (const n of [3, 0, 9, 1, 2, 8, 7, 6, 5, 4]) acknowledger.done(messages[n]!)
  expect(await remaining()).toEqual([])
  expect(frames).toEqual([[messages[9]!.fields.deliveryTag, true]])
})

test('a message under way is never acknowledged together with later ones', async () => {
  await take(6)
  for (const n of [0, 1, 3, 5]) acknowledger.done(messages[n]!)
  expect(await remaining()).toEqual(['2', '4'])
})

test('a message that was returned comes again, even if all messages around it are done', async () => {
  await take(5)
  acknowledger.done(messages[0]!)
  acknowledger.return(messages[1]!)
  for (const n of [2, 3, 4]) acknowledger.done(messages[n]!)
  await until(() => messages.length === 6)
  expect(messages[5]!.content.toString()).toBe('1')
  expect(await remaining()).toEqual(['1'])
})

test('acknowledging on a closed channel does nothing and is no error', async () => {
  await take(2)
  await channel.close()
  acknowledger.done(messages[0]!)
  acknowledger.flush()
  expect(frames).toEqual([[messages[0]!.fields.deliveryTag, true]])
})

test('a connection that is about to close takes no message back, and that is no error', async () => {
  await take(1)
  const other = await connect(process.env.TEST_AMQP_URL!)
  const closing = connection.close()
  acknowledger.return(messages[0]!)
  await closing
  connection = other
  expect((await until(async () => (await other.createChannel()).get(QUEUE))).content.toString()).toBe('0')
})
