import { createHash } from 'node:crypto'
import { parallelismOf } from './manifests.ts'
import type { BrokerManifests, ManifestMetadata, QueueType, TriggerManifest } from './manifests.ts'

/** Where dead letters go: an exchange and the one queue behind it. */
export interface DeadLetters {
  exchange: string
  queue: string
  /** Arguments of the binding between the two. */
  binding: Record<string, string>
}

/** A Trigger's place on the queue. */
export interface TriggerRoute {
  trigger: TriggerManifest
  name: string
  queue: string
  /** Attributes that an event must have, each with exactly this value. */
  filter: Record<string, string>
  /** Arguments of the binding between the Broker's exchange and the Trigger's queue. */
  binding: Record<string, string>
  parallelism: number
  /** The Trigger's own if it has a `delivery`, else the Broker's. */
  deadLetters: DeadLetters
}

/**
 * The names of all objects that a Broker has on its queue, as eventing-rabbitmq 1.22 chooses them
 * (pkg/rabbitmqnaming, pkg/rabbit). Unlike there, the exchange and queue for dead letters always exist, so
 * that an event is kept even if no sink is stated.
 */
export interface Topology {
  broker: string
  namespace: string
  queueType: QueueType
  exchange: string
  deadLetters: DeadLetters
  triggers: TriggerRoute[]
  /** Not in eventing-rabbitmq: the queue that remembers the bindings of the last start. */
  memory: string
  /** Returns true for the name of a Trigger's queue of this Broker, in use or left over. */
  owns: (queue: string) => boolean
}

/** Returns the topology of a Broker.
 * @throws Error that names the manifest which can't be used */
export function topologyOf({ broker, config, triggers }: BrokerManifests): Topology {
  const namespace = broker.metadata.namespace ?? 'default'
  const name = broker.metadata.name
  const uid = uidOf('Broker', broker.metadata)
  const prefix = `b.${namespace}.${name}.`
  const brokerDeadLetters: DeadLetters = {
    exchange: childName(`${prefix}dlx.`, uid),
    queue: childName(`${prefix}dlq.`, uid),
    binding: { 'x-knative-dlq': name, 'x-match': 'all' },
  }
  return {
    broker: name,
    namespace,
    queueType: config?.spec?.queueType ?? 'quorum',
    exchange: childName(prefix, uid),
    deadLetters: brokerDeadLetters,
    triggers: triggers
      .filter((trigger) => trigger.spec.broker === name)
      .map((trigger) => routeOf(trigger, uid, brokerDeadLetters)),
    memory: childName(`${prefix}memory.`, uid),
    // Queues of dead letters may end in the same way, but begin with `b.` or `t.`.
    owns: (queue) => queue.startsWith(`${namespace}.`) && queue.endsWith(`.${uid}`),
  }
}

function routeOf(trigger: TriggerManifest, brokerUid: string, brokers: DeadLetters): TriggerRoute {
  const { name, namespace = 'default' } = trigger.metadata
  const uid = uidOf('Trigger', trigger.metadata)
  const prefix = `t.${namespace}.${name}.`
  const filter = trigger.spec.filter?.attributes ?? {}
  const own: DeadLetters = {
    exchange: childName(`${prefix}dlx.`, uid),
    queue: childName(`${prefix}dlq.`, uid),
    binding: { 'x-match': 'all' },
  }
  return {
    trigger,
    name,
    queue: `${namespace}.${name}.${brokerUid}`,
    filter,
    binding: { ...filter, 'x-knative-trigger': name, 'x-match': 'all' },
    parallelism: parallelismOf(trigger),
    deadLetters: trigger.spec.delivery ? own : brokers,
  }
}

/** Returns whether a Trigger wants an event: it has every attribute of the filter, with an equal value. */
export function matches(filter: Record<string, string>, attributes: Record<string, string>): boolean {
  return Object.entries(filter).every(([name, value]) => attributes[name] === value)
}

/** Returns whether a headers exchange of RabbitMQ routes a message by a binding with `x-match: all`: the
 * message has every header that the binding names. Names that begin with `x-` are not compared. */
export function binds(
  binding: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>>,
): boolean {
  for (const name in binding) if (headers[name] !== binding[name] && !name.startsWith('x-')) return false
  return true
}

/** Returns every dead letter queue with its exchange, each once. */
export function deadLettersOf(topology: Topology): DeadLetters[] {
  return [...new Set([topology.deadLetters, ...topology.triggers.map((route) => route.deadLetters)])]
}

/**
 * Returns a name made of a parent's name and a suffix, at most 63 characters long, as Knative's
 * kmeta.ChildName makes it: joined if that fits, else cut and made unique with an MD5, which protects no
 * secret.
 */
export function childName(parent: string, suffix: string): string {
  const longest = 63
  const head = longest - 32
  if (parent.length + suffix.length <= longest) return parent + suffix
  if (suffix.length < head) return parent.slice(0, head - suffix.length) + md5(parent) + suffix
  const name = parent.slice(0, head) + md5(parent + suffix)
  return (name + suffix.slice(0, longest - name.length)).replace(/[^a-zA-Z0-9]+$/, '')
}

const md5 = (text: string): string => createHash('md5').update(text).digest('hex')

/** Returns the UID of an object. A cluster gives a random one; here it follows from kind, namespace and name,
 * so that queues outlive a restart. */
export function uidOf(kind: string, { uid, namespace = 'default', name }: ManifestMetadata): string {
  if (uid) return uid
  const hash = createHash('sha1').update(`microbank/${namespace}/${kind}/${name}`).digest('hex')
  const variant = ((parseInt(hash.slice(16, 18), 16) & 0x3f) | 0x80).toString(16)
  const parts = [hash.slice(0, 8), hash.slice(8, 12), `5${hash.slice(13, 16)}`]
  return [...parts, variant + hash.slice(18, 20), hash.slice(20, 32)].join('-')
}
