import { located } from '../host/answer-of.ts'
import { randomUUID } from 'node:crypto'
import type { PendingEvent } from '../../eventing/outbox-event.ts'
import type { Transaction } from '../host/database/database.ts'
import { once } from '../host/database/idempotency.ts'
import { operation, route } from '../host/operation.ts'
import { define, problem, problems } from '../host/problems.ts'
import { uuidSchema } from '../host/schema.ts'
import { UNSEEN } from '../host/values/unseen.ts'
import { channels, perDayMax, type Channel, type MessageContent } from './channels/message.ts'
import { storeNotifications } from './store.ts'
import { languages } from './templates/formats.ts'
import { notices, type Notice } from './templates/template.ts'
import { templatesOf } from './templates/templates.ts'

const sendProblems = {
  channelOff: define('channel-off', 409, 'The bank does not have this channel'),
  tooMany: define('too-many-messages', 409, 'The user has got too many messages today'),
  notReachable: define('not-reachable', 409, 'The user can’t be reached over this channel'),
}

/** Type of event, and kind of message, of what operators send. */
const REQUESTED = 'notification.requested'

interface AskedMessage {
  user_id: string
  channel: 'in-app' | Channel
  content: { notice: Notice } | { text: string }
  traceparent: string
}

export default operation({
  name: 'send-notification',
  context: 'notifications',
  summary: 'Sends a message to a user',
  routes: [
    route({
      method: 'POST',
      path: '/notifications/send',
      who: 'operator',
      summary: 'Send a user a message over one channel: a template, or words of one’s own',
      body: {
        type: 'object',
        additionalProperties: false,
        required: ['user_id', 'channel'],
        properties: {
          user_id: uuidSchema,
          channel: { enum: ['in-app', ...channels] },
          template: { enum: notices },
          message: {
            'x-personal': true,
            type: 'string',
            minLength: 1,
            maxLength: 2000,
            // Several lines are fine; marks that change the direction of writing are not.
            pattern: `^(?=[^]*\\S)([^${UNSEEN}\\u061C\\u200E\\u200F]|\\n)*$`,
          },
        },
        oneOf: [{ required: ['template'] }, { required: ['message'] }],
      },
      answers: {
        202: located({
          type: 'object',
          additionalProperties: false,
          required: ['id', 'user_id', 'channel'],
          properties: { id: uuidSchema, user_id: uuidSchema, channel: { enum: ['in-app', ...channels] } },
        }),
      },
      problems: [problems.notFound, ...Object.values(sendProblems)],
      idempotent: true,
      handle: async ({ body, idempotencyKey, traceparent }, { transact, outbox, config }) => {
        const { user_id: userId, channel, template, message } = body
        if (channel !== 'in-app' && !config.MESSAGE_CHANNELS.includes(channel))
          return problem(sendProblems.channelOff, `MESSAGE_CHANNELS does not name ${channel}.`)
        let stored: PendingEvent[] = []
        const reply = await transact(traceparent, (tx) =>
          once(tx, 'send-notification', idempotencyKey, async () => {
            const reach = await reachOf(tx, userId, channel)
            if (reach === 'unknown') return problem(problems.notFound, `There is no user ${userId}.`)
            if (reach === 'none')
              return problem(sendProblems.notReachable, `No address for ${channel} is known of this user.`)
            const content = template ? { notice: template } : { text: message! }
            if (channel !== 'in-app' && (await isFull(tx, userId, channel)))
              return problem(
                sendProblems.tooMany,
                `A user gets at most ${perDayMax[channel].other} messages a day from operators over ${channel}.`,
              )
            stored = await store(tx, { user_id: userId, channel, content, traceparent })
            const id = stored.find(({ type }) => type === 'notification.stored')!.subject
            return {
              status: 202,
              headers: { location: `/api/notifications/${id}` },
              body: { id, user_id: userId, channel },
            }
          }),
        )
        // They are derived from the rows, so the transaction does not know them.
        outbox.publish(stored)
        return reply
      },
    }),
  ],
})

/** Says whether a user exists, and has an address for the channel. */
async function reachOf(
  tx: Transaction,
  userId: string,
  channel: AskedMessage['channel'],
): Promise<'unknown' | 'none' | 'known'> {
  const [contact] = await tx.query<Record<'in-app' | Channel, boolean>>({
    name: 'contact-reach',
    text: `select true as "in-app", email is not null as email, phone is not null as sms,
        exists (select from push_subscriptions p where p.user_id = c.user_id) as push
      from contacts c where user_id = $1 and changed_at is not null and deleted_at is null`,
    values: [userId],
  })
  if (!contact) return 'unknown'
  return contact[channel] ? 'known' : 'none'
}

/** Says whether the user has got as many messages from operators within 24 hours as there may be. */
async function isFull(tx: Transaction, userId: string, channel: Channel): Promise<boolean> {
  const [sent] = await tx.query<{ count: number }>({
    name: 'messages-of-day',
    text: `select count(*)::int as count from messages
      where user_id = $1 and channel = $2 and kind = $3 and created_at > now() - interval '24 hours'`,
    values: [userId, channel, REQUESTED],
  })
  return sent!.count >= perDayMax[channel].other
}

/** Each request is an event of its own: the key of the request sees to it that it is stored once. */
function store(tx: Transaction, { channel, content, ...asked }: AskedMessage): Promise<PendingEvent[]> {
  const id = randomUUID()
  const textIn = (language: (typeof languages)[number]): string =>
    'notice' in content ? templatesOf(language).notices[content.notice].text : content.text
  const sending = channel === 'in-app' ? [] : [channel]
  return storeNotifications(
    tx,
    [
      {
        ...asked,
        consumer: 'send-notification',
        event_source: '/microbank/notifications',
        event_id: id,
        event_type: REQUESTED,
        subject: asked.user_id,
        message: textIn('en'),
        translations: Object.fromEntries(languages.map((language) => [language, textIn(language)])),
        channel,
        ...(channel !== 'in-app' && {
          send: { content: content satisfies MessageContent, usually: [], always: true, kind: REQUESTED },
        }),
      },
    ],
    sending,
  )
}
