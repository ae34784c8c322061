import type { ChannelModel, ConfirmChannel, GetMessage } from 'amqplib'
import type { Log } from '../../monitoring/log.ts'
import { deadLettersOf } from './topology.ts'
import type { Topology } from './topology.ts'

type Binding = { queue: string; exchange: string; arguments: Record<string, string> }
type Memory = { bindings: Binding[]; queues: string[] }

/**
 * Brings exchanges, queues and bindings on RabbitMQ to what the manifests say: makes what is missing, unbinds
 * what a removed Trigger or an older filter had bound. A queue that no Trigger has any more is not
 * deleted but reported, for it may hold events.
 *
 * AMQP has no command that lists bindings, so those of the last start are remembered on RabbitMQ itself, in
 * a queue of one message. The new list is stored before the old one is acknowledged, and bindings are
 * removed before either: a crash in between leaves only work that is done again.
 */
export async function declareTopology(connection: ChannelModel, topology: Topology, log: Log): Promise<void> {
  const wanted = wantedOf(topology)
  const channel = await connection.createConfirmChannel()
  channel.on('error', () => undefined) // The rejected command says it.
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

/** Declares on a channel of its own, because RabbitMQ closes the channel where a queue differs. */
async function declareQueue(connection: ChannelModel, topology: Topology, queue: string, log: Log) {
  const channel = await connection.createChannel()
  channel.on('error', () => undefined)
  try {
    await channel.assertQueue(queue, { durable: true, arguments: queueArguments(connection, topology) })
    await channel.close()
  } catch (error) {
    if ((error as { code?: number }).code !== 406) throw error
    log.warn('a queue is used as it is, it was made with other settings', { queue, reason: String(error) })
  }
}

/**
 * From RabbitMQ 4.0 on a quorum queue drops what was returned to it 20 times, and a few restarts in the
 * middle of deliveries come to that; before, -1 is refused and there is no limit.
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

/** One message, or two where an earlier start was killed between storing a new one and dropping the old. */
async function readMemories(channel: ConfirmChannel, queue: string) {
  const memories: { message: GetMessage; memory: Memory }[] = []
  for (let message = await channel.get(queue); message; message = await channel.get(queue))
    memories.push({ message, memory: JSON.parse(message.content.toString()) as Memory })
  return memories
}

const keyOf = ({ queue, exchange, arguments: args }: Binding): string =>
  JSON.stringify([queue, exchange, Object.entries(args).sort()])

/** Messages in a queue, or undefined where it is gone (which costs the channel). */
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
