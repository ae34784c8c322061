import type { ChannelModel, ConfirmChannel, GetMessage } from 'amqplib'
import type { Log } from '../../monitoring/log.ts'
import { deadLettersOf } from './topology.ts'
import type { Topology } from './topology.ts'

type Binding = { queue: string; exchange: string; arguments: Record<string, string> }
type Memory = { bindings: Binding[]; queues: string[] }

/**
 * Makes exchanges, queues and bindings on RabbitMQ match the manifests. It creates what is missing, and
 * removes the bindings of a removed Trigger or an older filter. It logs a queue that no Trigger uses any
 * more, but does not delete it, because it may hold events.
 *
 * AMQP has no command that lists bindings. So the bindings of the last start are remembered on RabbitMQ
 * itself, in a queue of one message. Bindings are removed first, then the new list is stored, then the old
 * one is acknowledged: after a crash in between, only work is repeated.
 */
export async function declareTopology(connection: ChannelModel, topology: Topology, log: Log): Promise<void> {
  const wanted = wantedOf(topology)
  const channel = await connection.createConfirmChannel()
  channel.on('error', () => undefined) // The rejected command reports it.
  const exchanges = [topology.exchange, ...deadLettersOf(topology).map((each) => each.exchange)]
  for (const exchange of exchanges) await channel.assertExchange(exchange, 'headers', { durable: true })
  for (const queue of [topology.memory, ...wanted.queues])
    await declareQueue(connection, topology, queue, log)
  for (const each of wanted.bindings) await channel.bindQueue(each.queue, each.exchange, '', each.arguments)
  await reconcile(connection, channel, topology, wanted, log)
  await channel.close()
}

function wantedOf(topology: Topology): Memory {
  const deadLetters = deadLettersOf(topology)
  return {
    bindings: [
      ...topology.triggers.map(({ queue, binding }) => ({
        queue,
        exchange: topology.exchange,
        arguments: binding,
      })),
      ...deadLetters.map(({ queue, exchange, binding }) => ({ queue, exchange, arguments: binding })),
    ],
    queues: [...topology.triggers, ...deadLetters].map((each) => each.queue),
  }
}

/** Declares a queue on a channel of its own, because RabbitMQ closes the channel if the queue has other
 * settings. */
async function declareQueue(connection: ChannelModel, topology: Topology, queue: string, log: Log) {
  const channel = await connection.createChannel()
  channel.on('error', () => undefined)
  try {
    await channel.assertQueue(queue, { durable: true, arguments: queueArguments(connection, topology) })
    await channel.close()
  } catch (error) {
    if ((error as { code?: number }).code !== 406) throw error
    log.warn('a queue was made with other settings and is used as it is', { queue, reason: String(error) })
  }
}

/**
 * Returns the arguments of a queue. From RabbitMQ 4.0 on a quorum queue drops a message that was returned to
 * it 20 times, and a few restarts during deliveries are enough for that; -1 removes the limit. Older versions
 * refuse -1 and have no limit.
 */
function queueArguments(connection: ChannelModel, { queueType }: Topology): Record<string, unknown> {
  const version = String(connection.connection.serverProperties.version)
  const unlimited = queueType === 'quorum' && Number.parseInt(version, 10) >= 4
  return { 'x-queue-type': queueType, ...(unlimited && { 'x-delivery-limit': -1 }) }
}

async function reconcile(
  connection: ChannelModel,
  channel: ConfirmChannel,
  topology: Topology,
  wanted: Memory,
  log: Log,
): Promise<void> {
  const memories = await readMemories(channel, topology.memory)
  const known: Memory = {
    bindings: memories.flatMap(({ memory }) => memory.bindings),
    queues: [...new Set(memories.flatMap(({ memory }) => memory.queues))],
  }
  const isWanted = new Set(wanted.bindings.map(keyOf))
  for (const binding of known.bindings.filter((each) => !isWanted.has(keyOf(each)))) {
    await channel.unbindQueue(binding.queue, binding.exchange, '', binding.arguments)
    log.info('a binding of an earlier start was removed', { queue: binding.queue, ...binding.arguments })
  }
  const orphans: string[] = []
  for (const queue of known.queues.filter((each) => !wanted.queues.includes(each))) {
    const events = await sizeOf(connection, queue)
    if (events === undefined) continue
    orphans.push(queue)
    log.warn('no Trigger uses this queue any more', { queue, events })
  }
  const memory: Memory = { bindings: wanted.bindings, queues: [...wanted.queues, ...orphans] }
  channel.sendToQueue(topology.memory, Buffer.from(JSON.stringify(memory)), { persistent: true })
  await channel.waitForConfirms()
  for (const { message } of memories) channel.ack(message)
}

/** Reads the remembered lists: one, or two if an earlier start was killed between storing the new list and
 * acknowledging the old one. */
async function readMemories(channel: ConfirmChannel, queue: string) {
  const memories: { message: GetMessage; memory: Memory }[] = []
  for (let message = await channel.get(queue); message; message = await channel.get(queue))
    memories.push({ message, memory: JSON.parse(message.content.toString()) as Memory })
  return memories
}

const keyOf = ({ queue, exchange, arguments: args }: Binding): string =>
  JSON.stringify([queue, exchange, Object.entries(args).sort()])

/** Returns the number of messages in a queue; undefined if the queue is gone, in which case RabbitMQ closes
 * the channel. */
async function sizeOf(connection: ChannelModel, queue: string): Promise<number | undefined> {
  const channel = await connection.createChannel()
  channel.on('error', () => undefined)
  try {
    const { messageCount } = await channel.checkQueue(queue)
    await channel.close()
    return messageCount
  } catch (error) {
    if ((error as { code?: number }).code === 404) return undefined
    throw error
  }
}
