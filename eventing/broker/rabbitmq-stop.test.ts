import { isHeartbeat, startSilentProxy } from '../../tests/support/silent-proxy.ts'
import type { SilentProxy } from '../../tests/support/silent-proxy.ts'
import { until } from '../../tests/support/until.ts'
import { manifestsOf, quiet, removeFromRabbitmq, startSubscriber, startTestBroker } from './broker-fixture.ts'
import { openRabbitmqQueue } from './rabbitmq.ts'
import { topologyOf } from './topology.ts'

/** Stopping, and starting anew, while RabbitMQ does not answer. */

const amqpUrl = process.env.TEST_AMQP_URL!

const silences: [string, (proxy: SilentProxy) => void][] = [
  ['has fallen silent', (proxy) => proxy.silence()],
  // As after its disk was full: the connection lives, and no queue answers.
  ['gives no sign but heartbeats', (proxy) => proxy.swallowAnswers(isHeartbeat)],
]

test.each(silences)('a Broker whose RabbitMQ %s stops all the same', async (_what, fallSilent) => {
  const proxy = await startSilentProxy(amqpUrl)
  const manifests = manifestsOf([{ name: 'all' }])
  const subscriber = await startSubscriber(() => new Promise(() => undefined))
  const broker = await startTestBroker({ amqpUrl: proxy.through(amqpUrl) }, manifests, subscriber.url)
  await broker.send({ id: 'under way' })
  await until(() => subscriber.ids('/all').length > 0)
  fallSilent(proxy)
  await broker.stop(100)
  await proxy.stop()
  expect((await stored(manifests)).get(topologyOf(manifests).triggers[0]!.queue)).toBe(1)
  await subscriber.stop()
  await removeFromRabbitmq(amqpUrl, [manifests])
})

test('a RabbitMQ that is silent while queues are declared is tried again', async () => {
  const proxy = await startSilentProxy(amqpUrl)
  const manifests = manifestsOf([])
  // Connections are made and live on, but their channels say nothing, and their end is not answered.
  const isConnectionCloseOk = (chunk: Buffer) => chunk.readUInt32BE(7) === ((10 << 16) | 51)
  proxy.swallowAnswers(
    (chunk) => isHeartbeat(chunk) || (chunk.readUInt16BE(1) === 0 && !isConnectionCloseOk(chunk)),
  )
  const opened = openRabbitmqQueue({
    ...{ url: proxy.through(amqpUrl), topology: topologyOf(manifests), log: quiet },
    setupMs: 3_000,
  })
  await until(() => proxy.opened >= 2, { what: 'a second attempt' })
  proxy.heal()
  const queue = await opened
  await queue.close()
  await proxy.stop()
  await removeFromRabbitmq(amqpUrl, [manifests])
})

async function stored(manifests: ReturnType<typeof manifestsOf>): Promise<Map<string, number>> {
  const queue = await openRabbitmqQueue({ url: amqpUrl, topology: topologyOf(manifests), log: quiet })
  const backlogs = await until(async () => {
    const now = await queue.backlogs()
    return [...now.values()].some((events) => events > 0) && now
  })
  await queue.close()
  return backlogs
}
