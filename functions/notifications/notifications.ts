import { operation, route } from '../host/operation.ts'
import { decodeCursor, page, pageOf, pageQuery } from '../host/database/paging.ts'
import { problem, problems } from '../host/problems.ts'
import { idParams, uuidSchema } from '../host/schema.ts'

const notification = {
  type: 'object',
  additionalProperties: false,
  required: [
    'id',
    'user_id',
    'event_id',
    'event_type',
    'subject',
    'message',
    'channel',
    'status',
    'attempts',
    'timestamp',
  ],
  properties: {
    id: uuidSchema,
    user_id: uuidSchema,
    event_id: { type: 'string' },
    event_type: { type: 'string' },
    subject: { type: 'string', description: 'The id of the transaction.' },
    message: { type: 'string' },
    channel: { enum: ['in-app', 'email', 'sms', 'push'] },
    status: { enum: ['stored', 'sent', 'failed'] },
    attempts: { type: 'integer' },
    timestamp: { type: 'string', format: 'date-time' },
  },
} as const

interface NotificationRow {
  id: string
  user_id: string
  event_id: string
  event_type: string
  subject: string
  message: string
  channel: string
  status: string
  attempts: number
  created_at: Date
}

const COLUMNS = 'id, user_id, event_id, event_type, subject, message, channel, status, attempts, created_at'

const toJson = ({ created_at: createdAt, ...row }: NotificationRow) => ({
  ...row,
  timestamp: createdAt.toISOString(),
})

export default operation({
  name: 'notifications',
  context: 'notifications',
  summary: 'Lists and shows notifications',
  routes: [
    route({
      method: 'GET',
      path: '/notifications',
      who: 'signed-in',
      summary: 'The notifications of the caller, newest first; an operator sees everybody’s',
      query: { type: 'object', additionalProperties: false, properties: pageQuery },
      answers: { 200: pageOf(notification) },
      async handle({ query: { limit, cursor }, caller }, { db }) {
        const rows = await db.query<NotificationRow>({
          name: 'notifications-list',
          text: `select ${COLUMNS} from notifications
            where ($1::uuid is null or user_id = $1) and ($2::uuid is null or id < $2)
            order by id desc limit $3`,
          values: [caller.role === 'operator' ? null : caller.userId, decodeCursor(cursor), limit + 1],
        })
        return { status: 200, body: page(rows, limit, toJson) }
      },
    }),
    route({
      method: 'GET',
      path: '/notifications/{id}',
      who: 'signed-in',
      summary: 'One notification',
      params: idParams,
      answers: { 200: notification },
      problems: [problems.notFound],
      async handle({ params: { id }, caller }, { db }) {
        const [row] = await db.query<NotificationRow>({
          name: 'notification-get',
          text: `select ${COLUMNS} from notifications where id = $1 and ($2::uuid is null or user_id = $2)`,
          values: [id, caller.role === 'operator' ? null : caller.userId],
        })
        if (!row) return problem(problems.notFound, `There is no notification ${id}.`)
        return { status: 200, body: toJson(row) }
      },
    }),
  ],
})
