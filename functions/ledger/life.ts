import { operation, route } from '../host/operation.ts'
import { idParams, orNull, uuidSchema } from '../host/schema.ts'
import { hopSchema, toHopList } from '../host/traces/hop-schema.ts'
import { hopsOf, type TraceHop } from '../host/traces/hops.ts'
import { readTrace, tracesAre, type ReadTrace, type TraceSpan } from '../host/traces/read-trace.ts'
import { LEDGER } from './life/event.ts'
import { eventRoute } from './life/event-route.ts'
import { bookedSchema, entriesOf, findLife, type LifeRow } from './life/facts.ts'
import { isOver, stepSchema, stepsOf, type LifeStep } from './life/steps.ts'
import { costSchema, shownCost, summaryOf, summarySchema } from './life/summary.ts'
import { toldOf, type KnownOfEvent } from './life/told.ts'
import { transactionNotFound } from './posting/refusals.ts'
import { eventOf, transactionStatuses, transactionTypes } from './transactions/transaction.ts'

const proofSchema = {
  title: 'LifeProof',
  type: 'object',
  additionalProperties: false,
  required: ['currency', 'entries', 'sum', 'delivered', 'took_effect', 'dead_letters'],
  properties: {
    currency: { type: 'string', description: 'Of the sum and of all amounts of the entries.' },
    entries: { type: 'array', items: bookedSchema },
    sum: { type: 'string', description: 'Of the entries: always zero.' },
    delivered: {
      type: ['integer', 'null'],
      description: 'Attempts to deliver its event; null without spans.',
    },
    took_effect: {
      type: ['integer', 'null'],
      description: 'Notifications that its event has made. Null if nobody knows.',
    },
    dead_letters: { type: ['array', 'null'], items: uuidSchema },
  },
} as const

const lifeSchema = {
  title: 'Life',
  type: 'object',
  additionalProperties: false,
  required: [
    ...['transaction_id', 'type', 'status', 'event_id', 'complete', 'steps'],
    ...['trace_id', 'traces', 'summary', 'hops', 'proof', 'cost'],
  ],
  properties: {
    transaction_id: uuidSchema,
    type: { enum: transactionTypes },
    status: { enum: transactionStatuses },
    event_id: orNull(uuidSchema),
    complete: { type: 'boolean', description: 'Nothing more happens by itself, and all of it is here.' },
    steps: { type: 'array', items: stepSchema },
    trace_id: { type: ['string', 'null'], description: 'This and the following are for operators alone.' },
    traces: {
      enum: [...tracesAre, null],
      description:
        'Spans were found; none were (not sampled, or forgotten); nothing keeps them here; what keeps them is away.',
    },
    summary: orNull(summarySchema),
    hops: { type: ['array', 'null'], items: hopSchema },
    proof: orNull(proofSchema),
    cost: orNull(costSchema),
  },
} as const

/** What became of a transaction. The ledger and the notifications give the facts. Spans refine them, if
 * there are any. */
export default operation({
  name: 'life',
  context: 'ledger',
  summary: 'Tells what became of a transaction or of an event, from the request to the notification',
  routes: [
    route({
      method: 'GET',
      path: '/transactions/{id}/life',
      who: 'signed-in',
      summary:
        'What became of a transaction, also before it is over: steps for its owner; hops, proof and cost for operators',
      params: idParams,
      answers: { 200: lifeSchema },
      handle: async (request, tools) => {
        const { params, caller } = request
        const row = await findLife(tools.db, params.id, caller)
        if (!row) return transactionNotFound()
        const eventId = eventOf(row)
        const [told, trace] = await Promise.all([
          eventId === null ? NOTHING : toldOf(eventId, request, tools, LEDGER),
          caller.role === 'operator'
            ? readTrace(row.trace_id?.replaceAll('-', '') ?? null, tools)
            : undefined,
        ])
        const hops = trace && hopsOf(trace.spans)
        const steps = stepsOf(row, caller, told, hops)
        const more =
          trace && hops ? await forOperators(row, { steps, told, hops, is: trace.is }, tools.db) : ONLY_STEPS
        const complete = isOver(steps) && (!trace || hasCome(row, steps, trace))
        const { id: transaction_id, type, status } = row
        return {
          status: 200,
          body: { transaction_id, type, status, event_id: eventId, complete, steps, ...more },
          about: { ownerId: row.user_id ?? null },
        }
      },
    }),
    eventRoute,
  ],
})

const NOTHING: KnownOfEvent = { notifications: [], dead_letters: [] }

const ONLY_STEPS = { trace_id: null, traces: null, summary: null, hops: null, proof: null, cost: null }

interface KnownOfLife extends Pick<ReadTrace, 'is'> {
  steps: readonly LifeStep[]
  told: KnownOfEvent | undefined
  hops: readonly TraceHop[]
}

async function forOperators(
  row: LifeRow,
  { steps, told, hops, is }: KnownOfLife,
  db: Parameters<typeof entriesOf>[0],
) {
  const { entries, sum } = await entriesOf(db, row)
  const eventId = eventOf(row)
  const attempts = hops.filter((hop) => hop.kind === 'attempt' && hop.eventId === eventId)
  return {
    trace_id: row.trace_id?.replaceAll('-', '') ?? null,
    traces: is,
    summary: summaryOf(steps, hops),
    hops: toHopList(hops),
    proof: {
      ...{ currency: row.currency, entries, sum, delivered: is === 'found' ? attempts.length : null },
      took_effect: told ? told.notifications.length : null,
      dead_letters: told ? told.dead_letters.map(({ id }) => id) : null,
    },
    cost: shownCost(hops),
  }
}

/** Spans come some seconds after the work that they tell of. A process that has just started on a busy
 * machine sends its spans last. */
const SPANS_MS_MAX = 60_000

/** Says whether all spans are there, as far as that can be known. Each process sends its spans when it has
 * time, so a span can come long before the span that it names as its cause. */
function hasCome(row: LifeRow, steps: readonly LifeStep[], { is, spans }: ReadTrace): boolean {
  if (is === 'not-kept' || Date.now() - row.created_at.getTime() > SPANS_MS_MAX) return true
  const come = new Set(spans.map(({ spanId }) => spanId))
  if (spans.some((span) => causesOf(span).some((id) => !come.has(id)))) return false
  // Only the span of its publishing tells when the event was published, and nothing names that as its cause.
  if (steps.some(({ step, at }) => step === 'published' && at === null)) return false
  const isTold = steps.some(({ step }) => step === 'told')
  const wasProcessed = spans.some(
    ({ kind, process }) => kind === 'consumer' && process['service.name'] === 'notify',
  )
  return is === 'found' && (!isTold || wasProcessed) && spans.some(({ kind }) => kind === 'server')
}

/** Only a consumer's links are causes: a statement of a batch has links to other traces. */
const causesOf = ({ kind, parentSpanId, links }: TraceSpan): readonly string[] => [
  ...(parentSpanId === undefined ? [] : [parentSpanId]),
  ...(kind === 'consumer' ? links : []),
]
