import { decodeCursor, page, pageOf, pageQuery } from '../../host/database/paging.ts'
import { route } from '../../host/operation.ts'
import { nobodysData } from './nobodys-data.ts'
import { deadLetterGroup, groupColumns, toGroup, type DeadLetterGroupRow } from './group.ts'
import { letterStatuses } from './letter.ts'

const list = route({
  method: 'GET',
  path: '/dead-letters/groups',
  who: 'operator',
  summary: 'Dead letters by Trigger, type and error; the newest group first',
  query: {
    type: 'object',
    additionalProperties: false,
    properties: {
      ...pageQuery,
      status: { enum: letterStatuses, description: 'Only groups with such letters.' },
      trigger: { type: 'string', maxLength: 100 },
      type: { type: 'string', maxLength: 1000 },
    },
  },
  answers: { 200: pageOf(deadLetterGroup) },
  // Consumers name no person in their answers, and ids are taken out.
  audits: nobodysData,
  async handle({ query: { limit, cursor, status, trigger, type } }, { db }) {
    const rows = await db.query<DeadLetterGroupRow>({
      name: 'dead-letter-groups-list',
      text: `select ${groupColumns} from dead_letter_groups g
        where ($1::uuid is null or g.id < $1)
          and case $2::text when 'stored' then g.stored when 'redriven' then g.redriven
            when 'discarded' then g.discarded else 1 end > 0
          and ($3::text is null or g.trigger = $3) and ($4::text is null or g.event_type = $4)
        order by g.id desc limit $5`,
      values: [decodeCursor(cursor), status, trigger, type, limit + 1],
    })
    return { status: 200, body: page(rows, limit, toGroup) }
  },
})

export const groupRoutes = [list]
