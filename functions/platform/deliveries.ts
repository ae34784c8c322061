import { deliveryPolicy } from '../../eventing/broker/delivery.ts'
import { parallelismOf, type BrokerManifest, type TriggerManifest } from '../../eventing/broker/manifests.ts'
import type { Infer } from '../host/schema.ts'
import type { Tools } from '../host/tools.ts'
import { askRuntime } from './ask-runtime.ts'
import { readinessOf, type ClusterObject } from './kubernetes.ts'
import type { PlatformView } from './platform-view.ts'
import { isLocal } from './runtime-report.ts'

const text = { type: 'string' } as const
const textOrNull = { type: ['string', 'null'] } as const
const knownCount = { type: ['integer', 'null'], minimum: 0 } as const
const counts = { type: 'array', items: { type: 'integer', minimum: 0 } } as const
const readiness = { ready: { type: 'boolean' }, reason: textOrNull } as const

const deliverySchema = {
  title: 'Delivery',
  type: 'object',
  description:
    'How often an event is tried, with which pauses, and where it goes then. A pause is twice the one before it (`doubling`), or longer by the first one (`evenly`).',
  required: ['tries', 'first_pause_ms', 'last_pause_ms', 'grows', 'at_once', 'dead_letter_sink'],
  properties: {
    tries: { type: 'integer', minimum: 1 },
    first_pause_ms: { type: 'number', minimum: 0 },
    last_pause_ms: { type: 'number', minimum: 0 },
    grows: { enum: ['doubling', 'evenly'] },
    at_once: { type: 'integer', minimum: 1, description: 'Events that are delivered at the same time.' },
    dead_letter_sink: textOrNull,
  },
} as const

const deliveredTriggerSchema = {
  title: 'DeliveredTrigger',
  type: 'object',
  required: [
    ...['name', 'broker', 'ready', 'reason', 'filter', 'subscriber', 'delivery', 'backlog', 'dead_letters'],
    'rate',
  ],
  properties: {
    name: text,
    broker: text,
    ...readiness,
    filter: {
      type: 'object',
      description: 'All these attributes must be equal.',
      additionalProperties: text,
    },
    subscriber: textOrNull,
    delivery: deliverySchema,
    backlog: { ...knownCount, description: 'Events that wait or are being delivered; null if not known.' },
    dead_letters: knownCount,
    rate: {
      type: ['object', 'null'],
      description: 'Attempts in each period of `period_seconds`, the oldest first. Null on a cluster.',
      required: ['delivered', 'failed'],
      properties: { delivered: counts, failed: counts },
    },
  },
} as const

export const deliveriesSchema = {
  title: 'Deliveries',
  type: 'object',
  required: ['runtime', 'queue', 'period_seconds', 'brokers', 'triggers'],
  properties: {
    runtime: { enum: ['local', 'cluster'] },
    queue: { ...textOrNull, description: 'What carries the events on a laptop, and why.' },
    period_seconds: { type: 'integer', minimum: 1 },
    brokers: {
      type: 'array',
      items: {
        type: 'object',
        required: ['name', 'ready', 'reason'],
        properties: { name: text, ...readiness },
      },
    },
    triggers: { type: 'array', items: deliveredTriggerSchema },
  },
} as const

type ShownDeliveries = Infer<typeof deliveriesSchema>
type DeliveredTrigger = Infer<typeof deliveredTriggerSchema>

/** What the runtime of a laptop tells of its Brokers. */
interface EventsReport {
  queue: string
  slotSeconds: number
  brokers: {
    name: string
    triggers: {
      name: string
      backlog: number | null
      deadLetters: number | null
      rate: { delivered: number[]; failed: number[] }
    }[]
  }[]
}

const PERIOD_SECONDS = 10

/** Reads Brokers and Triggers: what each takes, whether it works, what waits and what was delivered lately.
 * Rejects with an UnavailableError if what knows it does not answer. */
export async function readDeliveries(
  tools: Pick<Tools, 'send' | 'config'>,
  { kubernetes }: Pick<PlatformView, 'kubernetes'>,
): Promise<ShownDeliveries> {
  const [brokers, triggers, report] = await Promise.all([
    kubernetes.list('brokers'),
    kubernetes.list('triggers'),
    isLocal(tools) ? askRuntime<EventsReport>(tools, '/events') : undefined,
  ])
  return {
    runtime: report ? 'local' : 'cluster',
    queue: report?.queue ?? null,
    period_seconds: report?.slotSeconds ?? PERIOD_SECONDS,
    brokers: brokers.items.map((broker) => ({ name: broker.metadata.name, ...readinessOf(broker) })),
    triggers: triggers.items.map((trigger) => triggerOf(trigger, brokers.items, report)),
  }
}

function triggerOf(
  trigger: ClusterObject,
  brokers: readonly ClusterObject[],
  report: EventsReport | undefined,
): DeliveredTrigger {
  const { metadata, spec } = trigger
  const broker = brokers.find((each) => each.metadata.name === spec.broker)
  const own = report?.brokers
    .find(({ name }) => name === spec.broker)
    ?.triggers.find(({ name }) => name === metadata.name)
  return {
    ...{ name: metadata.name, broker: String(spec.broker), ...readinessOf(trigger) },
    filter: (spec.filter?.attributes ?? {}) as Record<string, string>,
    subscriber: (spec.subscriber?.ref?.name ?? spec.subscriber?.uri ?? null) as string | null,
    delivery: deliveryOf(
      trigger as unknown as TriggerManifest,
      broker as unknown as BrokerManifest | undefined,
    ),
    backlog: own?.backlog ?? null,
    dead_letters: own?.deadLetters ?? null,
    rate: own?.rate ?? null,
  }
}

function deliveryOf(
  trigger: TriggerManifest,
  broker: BrokerManifest | undefined,
): DeliveredTrigger['delivery'] {
  // A Trigger's delivery replaces its Broker's as a whole.
  const given = trigger.spec.delivery ?? broker?.spec?.delivery
  const { retries, backoffMs } = deliveryPolicy(given)
  const sink = given?.deadLetterSink
  return {
    tries: retries + 1,
    first_pause_ms: backoffMs(1),
    last_pause_ms: backoffMs(retries),
    grows: given?.backoffPolicy === 'linear' ? 'evenly' : 'doubling',
    at_once: parallelismOf(trigger),
    dead_letter_sink: sink?.ref?.name ?? sink?.uri ?? null,
  }
}
