import { createHash } from 'node:crypto'
import { eventRequest } from '../../eventing/http-binding.ts'
import type { EventMessage } from '../../eventing/message.ts'
import { statedBy } from '../../eventing/signature.ts'
import { formatStructured, parseStructured } from '../../eventing/structured.ts'
import { operation, route } from '../host/operation.ts'
import { once } from '../host/database/idempotency.ts'
import { decodeCursor, page, pageOf, pageQuery } from '../host/database/paging.ts'
import { problem, problems } from '../host/problems.ts'
import { UnavailableError } from '../../eventing/unavailable.ts'
import { idParams, uuidSchema } from '../host/schema.ts'
import type { Tools } from '../host/tools.ts'

const deadLetter = {
  title: 'DeadLetter',
  type: 'object',
  additionalProperties: false,
  required: [
    'id',
    'event_id',
    'event_type',
    'event',
    'destination',
    'error_code',
    'error_data',
    'reason',
    'hint',
    'deliveries',
    'status',
    'created_at',
    'redriven_at',
  ],
  properties: {
    id: uuidSchema,
    event_id: { type: 'string' },
    event_type: { type: 'string' },
    event: { type: 'object', description: 'The event in the JSON format of CloudEvents.' },
    destination: { type: 'string', description: 'The address of the consumer that could not process it.' },
    error_code: { type: ['string', 'null'], description: 'Status of its last answer.' },
    error_data: { type: ['string', 'null'], description: 'Beginning of its last answer.' },
    reason: {
      type: ['string', 'null'],
      description: 'Why the consumer could not process it; null if the Broker did not keep its answer.',
    },
    hint: { type: ['string', 'null'], description: 'Where to find the reason, if it is not here.' },
    deliveries: { type: 'integer', description: 'How often the Broker gave up on it.' },
    status: { enum: ['stored', 'redriven'] },
    created_at: { type: 'string', format: 'date-time' },
    redriven_at: { type: ['string', 'null'], format: 'date-time' },
  },
} as const

interface DeadLetterRow {
  id: string
  event_id: string
  event_type: string
  event: object
  destination: string
  error_code: string | null
  error_data: string | null
  deliveries: number
  status: string
  created_at: Date
  redriven_at: Date | null
}

const COLUMNS = `id, event_id, event_type, event, destination, error_code, error_data, deliveries, status,
  created_at, redriven_at`

const toJson = (row: DeadLetterRow) => ({
  ...row,
  ...explanation(row),
  created_at: row.created_at.toISOString(),
  redriven_at: row.redriven_at?.toISOString() ?? null,
})

/** Explains why an event was not processed. Our own Broker keeps the consumer's answer, a problem whose
 * detail is the reason. Knative's Broker keeps only the status, so the hint names the log that has the
 * reason. */
function explanation({ destination, event_id: id, error_data: answer }: DeadLetterRow) {
  const reason = answer === null || answer === '' ? null : (detailOf(answer) ?? answer)
  if (reason !== null) return { reason, hint: null }
  const consumer = /^https?:\/\/([a-z0-9-]+)/.exec(destination)?.[1] ?? 'the consumer'
  return { reason, hint: `Look for "event refused" with event_id ${id} in the log of ${consumer}.` }
}

function detailOf(answer: string): string | undefined {
  try {
    const { detail } = JSON.parse(answer) as { detail?: unknown }
    return typeof detail === 'string' ? detail : undefined
  } catch {
    return undefined // Cut off, or not a problem.
  }
}

/** Returns the event without the attributes that Brokers add to a dead letter. */
function originalOf({ attributes, data }: EventMessage): EventMessage {
  const {
    knativeerrordest: _to,
    knativeerrorcode: _code,
    knativeerrordata: _answer,
    ...original
  } = attributes
  return { attributes: original, data }
}

/** Returns a hash of the signature and of everything that it covers: the same for each delivery of an event,
 * even if its trace differs. */
function digestOf({ attributes, data }: EventMessage): Buffer {
  const stated = JSON.stringify(statedBy(attributes))
  return createHash('sha256').update(`${stated}\n${attributes.signature}\n`).update(data).digest()
}

/** The Broker's dead letter sink: keeps events that could not be processed, lists them, and publishes them
 * again. */
export default operation({
  name: 'dead-letters',
  context: 'notifications',
  summary: 'Keeps, lists and redrives events that could not be processed',
  consumes: {
    contracts: 'any',
    async receive(event, { db, log }, _state, { message }) {
      const { knativeerrordest, knativeerrorcode, knativeerrordata } = message.attributes
      await db.query({
        name: 'dead-letter-store',
        text: `insert into dead_letters
            (event_source, event_id, event_type, event, destination, error_code, error_data, digest)
          values ($1, $2, $3, $4, $5, $6, $7, $8)
          on conflict (event_source, event_id, destination, digest) do update
            set deliveries = dead_letters.deliveries + 1, status = 'stored',
              error_code = excluded.error_code, error_data = excluded.error_data`,
        values: [
          storable(event.source),
          storable(event.id),
          storable(event.type),
          // Byte for byte, because the signature covers the bytes.
          formatStructured(originalOf(message)),
          storable(knativeerrordest) ?? '',
          storable(knativeerrorcode),
          storable(knativeerrordata && Buffer.from(String(knativeerrordata), 'base64').toString()),
          digestOf(message),
        ],
      })
      log.warn('dead letter stored', { event_id: event.id, event_type: event.type, code: knativeerrorcode })
    },
  },
  routes: [
    route({
      method: 'GET',
      path: '/dead-letters',
      who: 'operator',
      summary: 'The dead letters, newest first',
      query: {
        type: 'object',
        additionalProperties: false,
        properties: { ...pageQuery, status: { enum: ['stored', 'redriven'] } },
      },
      answers: { 200: pageOf(deadLetter) },
      async handle({ query: { limit, cursor, status } }, { db }) {
        const rows = await db.query<DeadLetterRow>({
          name: 'dead-letters-list',
          text: `select ${COLUMNS} from dead_letters
            where ($1::uuid is null or id < $1) and ($2::text is null or status = $2)
            order by id desc limit $3`,
          values: [decodeCursor(cursor), status, limit + 1],
        })
        return { status: 200, body: page(rows, limit, toJson) }
      },
    }),
    route({
      method: 'POST',
      path: '/dead-letters/{id}/redrive',
      who: 'operator',
      summary: 'Publishes the event again; consumers that processed it before ignore it',
      params: idParams,
      operationId: 'redriveDeadLetter',
      answers: { 202: deadLetter },
      problems: [problems.notFound],
      idempotent: true,
      async handle({ params: { id }, idempotencyKey, traceparent }, tools) {
        return tools.transact(traceparent, (tx) =>
          once(tx, 'dead-letters', idempotencyKey, async () => {
            const [found] = await tx.query<DeadLetterRow & { event_text: string }>({
              name: 'dead-letter-redrive',
              text: `update dead_letters set status = 'redriven', redriven_at = now() where id = $1
                returning ${COLUMNS}, event::text as event_text`,
              values: [id],
            })
            if (!found) return problem(problems.notFound, `There is no dead letter ${id}.`)
            const { event_text: text, ...row } = found
            // Before the commit: if that fails, the event is sent twice; consumers ignore duplicates.
            await publishAgain(text, tools)
            return { status: 202, body: toJson(row) }
          }),
        )
      },
    }),
  ],
})

/** Publishes the event as it first was: same id, signature and bytes. Its context does not matter. Throws an
 * UnavailableError if the Broker does not accept it. */
async function publishAgain(text: string, { send, config }: Tools): Promise<void> {
  const { headers, body } = eventRequest(parseStructured(Buffer.from(text)))
  const { status } = await send({
    url: config.BROKER_URL,
    method: 'POST',
    headers,
    body,
    timeoutMs: 10_000,
  })
  if (status !== 202) throw new UnavailableError(`the Broker answered ${status}`)
}

/** Makes text that Postgres can store: a structured event may have NUL in any string, which Postgres
 * refuses. */
function storable(value: unknown): string | null {
  return value === undefined || value === null ? null : String(value).replaceAll('\0', '\uFFFD')
}
