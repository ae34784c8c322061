import { connect } from 'amqplib'
import { startSilentProxy } from '../../tests/support/silent-proxy.ts'
import { manifestsOf, quiet, removeFromRabbitmq } from './broker-fixture.ts'
import type { BrokerManifests } from './manifests.ts'
import { QueueUnavailableError } from './queue.ts'
import { toMessage } from './rabbitmq-message.ts'
import { openRabbitmqQueue } from './rabbitmq.ts'
import { binds, topologyOf } from './topology.ts'

/** Which events go to RabbitMQ at all. */

const amqpUrl = process.env.TEST_AMQP_URL!
const open: (() => Promise<unknown>)[] = []
const used: BrokerManifests[] = []

afterEach(async () => {
  for (const stop of open.splice(0).reverse()) await stop()
  await removeFromRabbitmq(amqpUrl, used.splice(0))
})

test('an event goes to the queues to which RabbitMQ would route it, as the same message, and only there', async () => {
  const filters: Record<string, string>[] = [
    {},
    { type: 'a' },
    { type: 'a', source: '/s' },
    { tier: 'gold' },
    { 'content-type': 'text/plain' },
    { datacontenttype: 'text/plain' },
    { tracestate: '' },
    { 'x-other': 'never compared' },
  ]
  const events: Record<string, string>[] = [
    { type: 'a' },
    { type: 'a', source: '/other' },
    { type: 'b', tier: 'gold' },
    { type: 'b', datacontenttype: 'text/plain' },
    { type: 'b', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
  ]
  const manifests = manifestsOf(filters.map((filter, n) => ({ name: `filter-${n}`, filter })))
  used.push(manifests)
  const topology = topologyOf(manifests)
  const queue = await openRabbitmqQueue({ url: amqpUrl, topology, log: quiet })
  open.push(() => queue.close())
  const connection = await connect(amqpUrl)
  open.push(() => connection.close())
  const channel = await connection.createConfirmChannel()
  for (const each of events) {
    const attributes = { specversion: '1.0', id: '1', source: '/s', ...each }
    const { content, options } = toMessage({ attributes, data: Buffer.alloc(0) })
    channel.publish(topology.exchange, '', content, options)
    await channel.waitForConfirms()
    await queue.publish({ attributes, data: Buffer.from('ours') })
    // RabbitMQ itself says which bindings want it.
    for (const { queue: from, binding } of topology.triggers) {
      const message = await channel.get(from, { noAck: true })
      const routed = message !== false
      const ours = await channel.get(from, { noAck: true })
      if (routed) expect(ours).toMatchObject({ content: Buffer.from('ours'), properties: message.properties })
      else expect(ours).toBe(false)
      expect({ binding, each, wanted: binds(binding, options.headers) }).toEqual({
        binding,
        each,
        wanted: routed,
      })
    }
  }
})

test('an event that no Trigger wants waits for no RabbitMQ', async () => {
  const proxy = await startSilentProxy(amqpUrl)
  open.push(() => proxy.stop())
  const manifests = manifestsOf([{ name: 'picky', filter: { type: 'wanted' } }])
  used.push(manifests)
  const topology = topologyOf(manifests)
  const queue = await openRabbitmqQueue({ url: proxy.through(amqpUrl), topology, log: quiet })
  open.push(() => queue.close())
  const publish = (type: string) =>
    queue.publish({
      attributes: { specversion: '1.0', id: type, source: '/s', type },
      data: Buffer.alloc(0),
    })
  proxy.silence()
  await publish('unwanted')
  await expect(publish('wanted')).rejects.toThrow(QueueUnavailableError)
})
