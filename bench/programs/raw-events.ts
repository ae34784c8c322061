import { connect } from 'amqplib'
import { percentiles } from '../latency.ts'
import { pace } from '../pace.ts'
import { readProcessorTime } from '../processor-time.ts'
import type { RawAnswer, RawJob } from '../ratios/events.ts'

/** RabbitMQ without a Broker: publishes messages with confirms to a quorum queue at a steady rate and
 * consumes them. Answers with the times from publishing to consuming, and with the processor time that the
 * bench had used before the first message that counts. */
process.once('message', (job: RawJob) => {
  measure(job).then(
    (answer) => process.send!(answer),
    (error: Error) => {
      console.error(error.message)
      process.exit(1)
    },
  )
})

async function measure(job: RawJob): Promise<RawAnswer> {
  const { amqpUrl, perSecond, warmupSeconds, seconds, bytes } = job
  // Without noDelay small frames wait up to 40 ms for the acknowledgement of earlier ones (Nagle's
  // algorithm), and this floor would be far too low.
  const connection = await connect(amqpUrl, { noDelay: true })
  const publishing = await connection.createConfirmChannel()
  const consuming = await connection.createChannel()
  const queue = `raw-${process.pid}`
  await consuming.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'quorum' } })
  await consuming.prefetch(20)

  const sentAt: number[] = []
  const latencies: number[] = []
  const warmups = Math.floor(perSecond * warmupSeconds)
  let before = readProcessorTime(process.ppid)
  let consumed = 0
  await consuming.consume(queue, (message) => {
    if (!message) return
    const n = Number(message.properties.messageId)
    if (n >= warmups) latencies.push(performance.now() - sentAt[n]!)
    consumed++
    consuming.ack(message)
  })
  const body = Buffer.alloc(bytes, 'x')
  await pace(perSecond, warmupSeconds + seconds, async (n) => {
    if (n === warmups) before = readProcessorTime(process.ppid)
    sentAt[n] = performance.now()
    await new Promise<void>((resolve, reject) =>
      publishing.publish('', queue, body, { persistent: true, messageId: String(n) }, (error: unknown) =>
        error ? reject(error as Error) : resolve(),
      ),
    )
  })
  while (consumed < sentAt.length) await new Promise((resolve) => setTimeout(resolve, 20))
  await consuming.deleteQueue(queue)
  await connection.close()
  return { latency: percentiles(latencies), count: latencies.length, before }
}
