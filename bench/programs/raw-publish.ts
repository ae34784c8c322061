import { connect } from 'amqplib'
import type { RawPublishJob } from '../ratios/backlog.ts'

/** RabbitMQ without a Broker: publishes messages with confirms to a quorum queue, `window` of them in flight
 * at once. Answers with the rate. */
process.once('message', (job: RawPublishJob) => {
  measure(job).then(
    (perSecond) => process.send!({ perSecond }),
    (error: Error) => {
      console.error(error.message)
      process.exit(1)
    },
  )
})

async function measure({ amqpUrl, count, window, bytes }: RawPublishJob): Promise<number> {
  const connection = await connect(amqpUrl, { noDelay: true })
  const channel = await connection.createConfirmChannel()
  const queue = `raw-${process.pid}`
  await channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'quorum' } })
  const body = Buffer.alloc(bytes, 'x')
  const publish = (): Promise<void> =>
    new Promise((resolve, reject) =>
      channel.publish('', queue, body, { persistent: true }, (error: unknown) =>
        error ? reject(error as Error) : resolve(),
      ),
    )
  const publishAll = async (total: number): Promise<void> => {
    let sent = 0
    const worker = async (): Promise<void> => {
      while (sent++ < total) await publish()
    }
    await Promise.all(Array.from({ length: window }, worker))
  }
  await publishAll(count / 10) // Warms up.
  const startedAt = performance.now()
  await publishAll(count)
  const perSecond = count / ((performance.now() - startedAt) / 1000)
  await channel.deleteQueue(queue)
  await connection.close()
  return perSecond
}
