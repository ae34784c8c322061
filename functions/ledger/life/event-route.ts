import { UnavailableError } from '../../../eventing/unavailable.ts'
import { route } from '../../host/operation.ts'
import { problem, problems } from '../../host/problems.ts'
import { hopsOf } from '../../host/traces/hops.ts'
import { readTrace } from '../../host/traces/read-trace.ts'
import { deliveriesOf, findEvent, LEDGER, publishedOf, toEvent } from './event.ts'
import { eventLifeSchema } from './event-schema.ts'
import { toldOf } from './told.ts'
import { ANY_UUID } from '../../host/values/uuid-text.ts'

const name = { type: 'string', minLength: 1, maxLength: 200 } as const

/** What became of one event. Of the ledger's, its own tables say how it was stored and published. Of another
 * context's, whose tables it may not read, this tells only what consumers and spans know. */
export const eventRoute = route({
  method: 'GET',
  path: '/events/{event_id}',
  who: 'operator',
  summary: 'What became of an event: stored, published, delivered to whom at which attempt, and its effect',
  params: {
    type: 'object',
    additionalProperties: false,
    required: ['event_id'],
    properties: { event_id: name },
  },
  query: {
    type: 'object',
    additionalProperties: false,
    properties: {
      source: { ...name, description: `Ids are unique per source. Without it: ${LEDGER}.` },
    },
  },
  answers: { 200: eventLifeSchema },
  problems: [problems.notFound],
  async handle(request, tools) {
    const { event_id: given } = request.params
    const source = request.query.source ?? LEDGER
    const id = ANY_UUID.test(given) && source === LEDGER ? given.toLowerCase() : given
    const [row, told] = await Promise.all([
      source === LEDGER && ANY_UUID.test(id) ? findEvent(tools.db, id) : undefined,
      toldOf(id, request, tools, source),
    ])
    if (!row && !told)
      throw new UnavailableError(
        'the notifications context does not answer, and only it could know this event',
      )
    const { notifications = [], dead_letters: letters = [] } = told ?? {}
    if (!row && notifications.length + letters.length === 0)
      return problem(problems.notFound, `Nothing is known of an event ${given} of ${source}.`)
    const traceId = row?.trace_id ?? letters.find(({ trace_id: trace }) => trace !== null)?.trace_id ?? null
    const trace = await readTrace(traceId, tools)
    const hops = hopsOf(trace.spans).filter(({ eventId }) => eventId === id)
    const deliveries = trace.is === 'found' ? deliveriesOf(hops) : null
    const published = publishedOf(row, hops)
    return {
      status: 200,
      body: {
        ...toEvent({ id, source }, row, told),
        ...{ published, trace_id: traceId, traces: trace.is, deliveries },
        effects: told
          ? notifications.map((one) => ({ id: one.id, user_id: one.user_id, at: one.timestamp }))
          : null,
        dead_letters: told
          ? letters.map(({ trace_id: _trace, event_type: _type, ...letter }) => letter)
          : null,
      },
      about: { subject: id, ownerId: notifications[0]?.user_id ?? null },
    }
  },
})
