import { operation, route } from '../host/operation.ts'
import { ownerAsked } from '../host/owner-asked.ts'
import { decodeCursor, page, pageOf, pageQuery } from '../host/database/paging.ts'
import { problem, problems } from '../host/problems.ts'
import { idParams, uuidSchema } from '../host/schema.ts'
import { byEvent } from './by-event.ts'
import { notificationWithMessages, withMessages } from './messages-of.ts'
import { countUnread, markRead, UNREAD_COUNTED_MAX } from './unread.ts'
import {
  notificationColumns,
  notificationSchema,
  toNotification,
  type NotificationRow,
} from './notification.ts'

const unreadSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['unread_count'],
  properties: {
    unread_count: {
      type: 'integer',
      minimum: 0,
      maximum: UNREAD_COUNTED_MAX,
      description: 'How many of the caller’s own are unread; no more than this many are counted.',
    },
  },
} as const

const listSchema = pageOf(notificationSchema)
const notificationsPage = {
  ...listSchema,
  required: [...listSchema.required, ...unreadSchema.required],
  properties: { ...listSchema.properties, ...unreadSchema.properties },
} as const

export default operation({
  name: 'notifications',
  context: 'notifications',
  summary: 'Lists and shows notifications',
  routes: [
    route({
      method: 'GET',
      path: '/notifications',
      who: 'signed-in',
      summary:
        'The notifications of the caller, newest first, but none that was only sent; ' +
        'an operator sees everybody’s, or those of a user_id, and all',
      query: {
        type: 'object',
        additionalProperties: false,
        properties: { ...pageQuery, user_id: uuidSchema },
      },
      answers: { 200: notificationsPage },
      problems: [problems.notFound],
      async handle({ query: { limit, cursor, user_id: asked }, caller }, { db }) {
        const before = decodeCursor(cursor)
        const ownerId = ownerAsked(caller, asked)
        const isOperator = caller.role === 'operator'
        const [rows, unread] = await Promise.all([
          // Without a name, so that Postgres plans it for the filters given.
          db.query<NotificationRow>({
            text: `select ${notificationColumns} from notifications
              where ($1::uuid is null or user_id = $1) and ($4 or channel = 'in-app') and ($2::uuid is null or id < $2)
              order by id desc limit $3`,
            values: [ownerId, before, limit + 1, isOperator],
          }),
          countUnread(db, caller.userId),
        ])
        return {
          status: 200,
          body: { ...page(rows, limit, toNotification), unread_count: unread },
          about: { ownerId: ownerId ?? null },
        }
      },
    }),
    route({
      method: 'POST',
      path: '/notifications/read',
      who: 'signed-in',
      summary: 'Mark the caller’s own notifications as read, from one of them back to the oldest',
      audits: { nothing: 'everybody marks only their own, and nothing else changes' },
      body: {
        type: 'object',
        additionalProperties: false,
        required: ['up_to'],
        properties: { up_to: { ...uuidSchema, description: 'Id of the newest one that was read.' } },
      },
      answers: { 200: unreadSchema },
      problems: [problems.notFound],
      async handle({ body: { up_to: upTo }, caller }, { db }) {
        if (!(await markRead(db, caller.userId, upTo)))
          return problem(problems.notFound, `You have no notification ${upTo}.`)
        return { status: 200, body: { unread_count: await countUnread(db, caller.userId) } }
      },
    }),
    route({
      method: 'GET',
      path: '/notifications/{id}',
      who: 'signed-in',
      summary: 'One notification, with the messages that left the bank and each attempt to send them',
      params: idParams,
      answers: { 200: notificationWithMessages },
      problems: [problems.notFound],
      async handle({ params: { id }, caller }, { db }) {
        const [row] = await db.query<NotificationRow>({
          name: 'notification-get',
          text: `select ${notificationColumns} from notifications where id = $1 and ($2::uuid is null or user_id = $2)`,
          values: [id, caller.role === 'operator' ? null : caller.userId],
        })
        if (!row) return problem(problems.notFound, `There is no notification ${id}.`)
        const [shown] = await withMessages(db, [row], caller)
        return { status: 200, body: shown }
      },
    }),
    byEvent,
  ],
})
