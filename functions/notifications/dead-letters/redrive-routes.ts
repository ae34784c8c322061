import { located } from '../../host/answer-of.ts'
import { once } from '../../host/database/idempotency.ts'
import { decodeCursor, page, pageOf, pageQuery } from '../../host/database/paging.ts'
import { route } from '../../host/operation.ts'
import { problem, problems } from '../../host/problems.ts'
import { idParams, uuidSchema } from '../../host/schema.ts'
import { acceptRedrive, checkAsked, nothingToRedrive, tooManyRedrives, underWay } from './accept-redrive.ts'
import { redriveColumns, redriveSchema, toRedrive, type RedriveRow } from './redrive.ts'
import { stopRedrive } from './stop-redrive.ts'
import { nobodysData } from './nobodys-data.ts'

const begin = route({
  method: 'POST',
  path: '/dead-letter-redrives',
  who: 'operator',
  summary: 'Begins to publish a group of dead letters, or those named, at a rate',
  operationId: 'redriveDeadLetters',
  body: {
    type: 'object',
    additionalProperties: false,
    'x-contract': { oneOf: [{ required: ['group'] }, { required: ['ids'] }] },
    properties: {
      group: { ...uuidSchema, description: 'All of the group that wait, but at most the oldest 10,000.' },
      ids: { type: 'array', minItems: 1, maxItems: 1000, items: uuidSchema },
      per_second: { type: 'integer', minimum: 1, maximum: 100, default: 10 },
    },
  },
  answers: { 202: located(redriveSchema) },
  problems: [problems.notFound, underWay, nothingToRedrive, tooManyRedrives],
  idempotent: true,
  async handle({ body, caller, idempotencyKey, traceparent }, tools) {
    checkAsked(body)
    return tools.transact(traceparent, (tx) =>
      once(tx, 'dead-letters', idempotencyKey, () => acceptRedrive(tx, body, caller.userId)),
    )
  },
})

const list = route({
  method: 'GET',
  path: '/dead-letter-redrives',
  who: 'operator',
  summary: 'Redrives of dead letters, newest first',
  query: { type: 'object', additionalProperties: false, properties: pageQuery },
  answers: { 200: pageOf(redriveSchema) },
  audits: nobodysData,
  async handle({ query: { limit, cursor } }, { db }) {
    const rows = await db.query<RedriveRow>({
      name: 'dead-letters-redrives-list',
      text: `select ${redriveColumns} from dead_letter_redrives r where ($1::uuid is null or r.id < $1)
        order by r.id desc limit $2`,
      values: [decodeCursor(cursor), limit + 1],
    })
    return { status: 200, body: page(rows, limit, toRedrive) }
  },
})

const show = route({
  method: 'GET',
  path: '/dead-letter-redrives/{id}',
  who: 'operator',
  summary: 'How far a redrive is',
  params: idParams,
  answers: { 200: redriveSchema },
  problems: [problems.notFound],
  audits: nobodysData,
  async handle({ params: { id } }, { db }) {
    const [row] = await db.query<RedriveRow>({
      name: 'dead-letters-redrive-read',
      text: `select ${redriveColumns} from dead_letter_redrives r where id = $1`,
      values: [id],
    })
    return row
      ? { status: 200, body: toRedrive(row) }
      : problem(problems.notFound, `There is no redrive ${id}.`)
  },
})

const stop = route({
  method: 'POST',
  path: '/dead-letter-redrives/{id}/stop',
  who: 'operator',
  summary: 'Stops a redrive; what it has not sent waits as before',
  params: idParams,
  operationId: 'stopDeadLetterRedrive',
  answers: { 200: redriveSchema },
  problems: [problems.notFound],
  idempotent: true,
  handle: ({ params: { id }, idempotencyKey, traceparent }, tools) =>
    tools.transact(traceparent, (tx) => once(tx, 'dead-letters', idempotencyKey, () => stopRedrive(tx, id))),
})

export const redriveRoutes = [begin, list, show, stop]
