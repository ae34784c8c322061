import { once } from '../../host/database/idempotency.ts'
import { decodeCursor, page, pageOf, pageQuery } from '../../host/database/paging.ts'
import { route } from '../../host/operation.ts'
import { problem, problems } from '../../host/problems.ts'
import { idParams, reasonText, uuidSchema } from '../../host/schema.ts'
import { discardLetter, notWaiting } from './discard-letter.ts'
import { deadLetter, letterColumns, letterStatuses, toLetter, type DeadLetterRow } from './letter.ts'
import { notTaken, publishAgain } from './publish-again.ts'

const list = route({
  method: 'GET',
  path: '/dead-letters',
  who: 'operator',
  summary: 'The dead letters, newest first',
  query: {
    type: 'object',
    additionalProperties: false,
    properties: {
      ...pageQuery,
      status: { enum: letterStatuses },
      group: uuidSchema,
      trigger: { type: 'string', maxLength: 100 },
      type: { type: 'string', maxLength: 1000 },
      error: { type: 'string', maxLength: 1000, description: 'The `error` of a group.' },
    },
  },
  answers: { 200: pageOf(deadLetter) },
  async handle({ query: { limit, cursor, status, group, trigger, type, error } }, { db }) {
    // Without a name, so that Postgres plans it for the filters given.
    const rows = await db.query<DeadLetterRow>({
      text: `select ${letterColumns} from dead_letters l
        where ($1::uuid is null or l.id < $1) and ($2::text is null or l.status = $2)
          and ($3::uuid is null or l.group_id = $3)
          and ($4::boolean or l.group_id = any (array(
            select id from dead_letter_groups g where ($5::text is null or g.trigger = $5)
              and ($6::text is null or g.event_type = $6) and ($7::text is null or g.error = $7))))
        order by l.id desc limit $8`,
      values: [
        ...[decodeCursor(cursor), status, group],
        ...[(trigger ?? type ?? error) === undefined, trigger, type, error, limit + 1],
      ],
    })
    return { status: 200, body: page(rows, limit, toLetter) }
  },
})

const show = route({
  method: 'GET',
  path: '/dead-letters/{id}',
  who: 'operator',
  summary: 'One dead letter',
  params: idParams,
  answers: { 200: deadLetter },
  problems: [problems.notFound],
  async handle({ params: { id } }, { db }) {
    const [row] = await db.query<DeadLetterRow>({
      name: 'dead-letter-read',
      text: `select ${letterColumns} from dead_letters l where l.id = $1`,
      values: [id],
    })
    return row ? { status: 200, body: toLetter(row) } : unknown(id)
  },
})

const redrive = route({
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
        const [found] = await tx.query<{ event_text: string }>({
          name: 'dead-letter-lock',
          text: 'select event::text as event_text from dead_letters where id = $1 for no key update',
          values: [id],
        })
        if (!found) return unknown(id)
        // Before it is noted: if that fails, the event is sent twice; consumers ignore duplicates. And before
        // the group is locked: a Broker that is slow must not hold up other letters of the group.
        const status = await publishAgain(found.event_text, tools)
        if (status !== 202) throw notTaken(status)
        const [row] = await tx.query<DeadLetterRow>({
          name: 'dead-letter-redrive',
          text: `update dead_letters l set status = 'redriven', redriven_at = now(), redrive_id = null,
              is_queued = false
            where id = $1 returning ${letterColumns}`,
          values: [id],
        })
        return { status: 202, body: toLetter(row!) }
      }),
    )
  },
})

const discard = route({
  method: 'POST',
  path: '/dead-letters/{id}/discard',
  who: 'operator',
  summary: 'Marks a dead letter as not to be sent; it is kept and can be redriven later',
  params: idParams,
  operationId: 'discardDeadLetter',
  body: {
    type: 'object',
    additionalProperties: false,
    required: ['reason'],
    properties: { reason: reasonText },
  },
  answers: { 200: deadLetter },
  problems: [problems.notFound, notWaiting],
  idempotent: true,
  handle: ({ params: { id }, body: { reason }, caller: { userId }, idempotencyKey, traceparent }, tools) =>
    tools.transact(traceparent, (tx) =>
      once(tx, 'dead-letters', idempotencyKey, () => discardLetter(tx, id, { reason, userId })),
    ),
})

const unknown = (id: string) => problem(problems.notFound, `There is no dead letter ${id}.`)

export const letterRoutes = [list, show, redrive, discard]
