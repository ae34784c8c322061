import { operation, route } from '../host/operation.ts'
import type { Database, Transaction } from '../host/database/database.ts'
import { once } from '../host/database/idempotency.ts'
import { issuedAt } from '../host/issued-since.ts'
import { define, problem, problems } from '../host/problems.ts'
import type { Caller } from '../host/route-request.ts'
import { idParams, orNull, uuidSchema } from '../host/schema.ts'
import { isOwner } from './owner.ts'
import { chosenChannels, usualChannels, type ChosenChannel } from './channels/message.ts'
import { isPushService } from './channels/push-services.ts'
import { languages, type Language } from './templates/formats.ts'
import { notified, type NotifiedType } from './templates/notified.ts'

const messageProblems = {
  securityMessage: define('security-message', 422, 'Messages about security can’t be switched off'),
  tooManySubscriptions: define('too-many-subscriptions', 409, 'There are too many push subscriptions'),
  unknownPushService: define('unknown-push-service', 422, 'The endpoint is not one of a known push service'),
}

/** All that users can choose channels for. A message with a link goes by email, and by nothing else. */
const types = (Object.keys(notified) as NotifiedType[]).filter((type) => !notified[type].link)

const perEvent = <const Of extends object>(of: Of) =>
  ({
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(types.map((type) => [type, of])) as Record<NotifiedType, Of>,
  }) as const

const choice = {
  type: 'object',
  additionalProperties: false,
  properties: {
    email: { type: 'boolean' },
    sms: { type: 'boolean' },
    push: { type: 'boolean' },
    webhook: { type: 'boolean' },
  },
} as const

const preferences = {
  title: 'Preferences',
  type: 'object',
  additionalProperties: false,
  required: ['language', 'events', 'channels', 'email', 'phone', 'push_public_key'],
  properties: {
    language: { enum: languages },
    events: perEvent({ ...choice, required: ['email', 'sms', 'push', 'webhook'] } as const),
    channels: {
      type: 'array',
      items: { enum: chosenChannels },
      description: 'The channels that this bank has. A choice for another has no effect.',
    },
    email: { type: ['string', 'null'], description: 'Where emails go; null if not known yet.' },
    phone: { type: ['string', 'null'], description: 'Where text messages go; an operator enters it.' },
    push_public_key: orNull({
      type: 'string',
      description: 'The applicationServerKey with which a browser subscribes.',
    } as const),
  },
} as const

type Choices = Partial<Record<NotifiedType, Partial<Record<ChosenChannel, boolean>>>>

interface PreferencesRow {
  language: Language | null
  choices: Choices | null
  email: string | null
  phone: string | null
}

/** A hostile client could subscribe for ever, and each subscription costs a message per event. */
const SUBSCRIPTIONS_MAX = 20

export default operation({
  name: 'preferences',
  context: 'notifications',
  summary: 'Which messages a user gets, in which language, over which channels',
  routes: [
    route({
      method: 'GET',
      path: '/notifications/preferences',
      who: 'signed-in',
      summary: 'What the caller has chosen, and what is usual where they have not',
      answers: { 200: preferences },
      handle: async ({ caller: { userId } }, { db, config }) => ({
        status: 200,
        body: await shown(db, userId, config),
        about: { ownerId: userId },
      }),
    }),
    route({
      method: 'PUT',
      path: '/notifications/preferences',
      who: 'signed-in',
      summary: 'Choose anew. What is left out is as usual',
      body: {
        type: 'object',
        additionalProperties: false,
        properties: { language: { enum: languages, default: 'en' }, events: perEvent(choice) },
      },
      answers: { 200: preferences },
      problems: [problems.notFound, messageProblems.securityMessage],
      handle: async ({ body, caller, traceparent }, { transact, config }) => {
        const { userId } = caller
        const choices = (body.events ?? {}) as Choices
        const wrong = types.find(
          (type) =>
            notified[type].importance === 'security' && Object.values(choices[type] ?? {}).includes(false),
        )
        if (wrong)
          return problem(
            messageProblems.securityMessage,
            `${wrong} is about the security of the account; leave it out, or say true.`,
          )
        return transact(traceparent, async (tx) => {
          if (!(await isOwner(tx, caller))) return deleted
          await tx.query({
            name: 'preferences-put',
            text: `insert into preferences (user_id, language, choices) values ($1, $2, $3)
              on conflict (user_id) do update set language = $2, choices = $3`,
            values: [userId, body.language, JSON.stringify(choices)],
          })
          return { status: 200, body: await shown(tx, userId, config), about: { ownerId: userId } }
        })
      },
    }),
    route({
      method: 'PUT',
      path: '/notifications/contacts/{id}/phone',
      who: 'operator',
      summary: 'Enter or remove the phone number of a user, after having checked that it is theirs',
      params: idParams,
      body: {
        type: 'object',
        additionalProperties: false,
        required: ['phone'],
        properties: {
          phone: {
            'x-personal': true,
            ...orNull({ type: 'string', pattern: '^\\+[1-9][0-9]{6,14}$' } as const),
          },
        },
      },
      answers: { 204: undefined },
      problems: [problems.notFound],
      handle: ({ params: { id }, body, traceparent }, { transact }) =>
        transact(traceparent, async (tx) => {
          const entered = await tx.query({
            name: 'contact-phone',
            text: `update contacts set phone = $2 where user_id = $1 and deleted_at is null returning user_id`,
            values: [id, body.phone],
          })
          if (entered.length === 0) return problem(problems.notFound, `There is no user ${id}.`)
          return { status: 204, about: { subject: id, ownerId: id } }
        }),
    }),
    route({
      method: 'POST',
      path: '/notifications/push-subscriptions',
      who: 'signed-in',
      summary:
        'Subscribe a browser, with what its PushManager gives. The same endpoint again replaces its keys',
      body: {
        type: 'object',
        additionalProperties: false,
        required: ['endpoint', 'keys'],
        properties: {
          endpoint: { type: 'string', minLength: 8, maxLength: 1000, 'x-personal': true },
          expirationTime: { type: ['number', 'null'] },
          keys: {
            type: 'object',
            additionalProperties: false,
            required: ['p256dh', 'auth'],
            // An uncompressed point of P-256, and 16 bytes.
            properties: {
              p256dh: { type: 'string', pattern: '^B[A-Za-z0-9_-]{86}$', 'x-personal': true },
              auth: { type: 'string', pattern: '^[A-Za-z0-9_-]{22}$', 'x-personal': true },
            },
          },
        },
      },
      answers: {
        201: {
          type: 'object',
          additionalProperties: false,
          required: ['id'],
          properties: { id: uuidSchema },
        },
      },
      problems: [problems.notFound, messageProblems.unknownPushService, messageProblems.tooManySubscriptions],
      idempotent: true,
      handle: async ({ body, caller, idempotencyKey, traceparent }, { transact, config }) => {
        const { userId } = caller
        if (!isPushService(body.endpoint, config.PUSH_SERVICES))
          return problem(
            messageProblems.unknownPushService,
            'Expected the https endpoint of a push service that this bank knows.',
          )
        return transact(traceparent, (tx) =>
          once(tx, 'preferences', idempotencyKey, async () => {
            if (!(await isOwner(tx, caller))) return deleted
            const [subscribed] = await subscribe(tx, caller, body)
            if (!subscribed)
              return problem(
                messageProblems.tooManySubscriptions,
                `A user can have ${SUBSCRIPTIONS_MAX} subscriptions; remove one first.`,
              )
            return { status: 201, body: subscribed, about: { ownerId: userId } }
          }),
        )
      },
    }),
    route({
      method: 'DELETE',
      path: '/notifications/push-subscriptions/{id}',
      who: 'signed-in',
      summary: 'End a subscription of the caller',
      params: idParams,
      answers: { 204: undefined },
      problems: [problems.notFound],
      handle: ({ params: { id }, caller: { userId }, traceparent }, { transact }) =>
        transact(traceparent, async (tx) => {
          const ended = await tx.query({
            name: 'push-subscription-end',
            text: `delete from push_subscriptions where id = $1 and user_id = $2 returning id`,
            values: [id, userId],
          })
          if (ended.length === 0) return problem(problems.notFound, `There is no subscription ${id}.`)
          return { status: 204, about: { subject: id, ownerId: userId } }
        }),
    }),
  ],
})

const deleted = problem(problems.notFound, 'This user was deleted.')

/** Subscribes a browser. Resolves with nothing if there are too many. isOwner() has locked what the user set
 * up, so many requests at once can't make more than are allowed. */
async function subscribe(
  tx: Transaction,
  caller: Caller,
  { endpoint, keys }: { endpoint: string; keys: { p256dh: string; auth: string } },
): Promise<{ id: string }[]> {
  const { userId } = caller
  // A browser that somebody else uses now: what the one before gets is not for their eyes.
  await tx.query({
    name: 'push-endpoint-taken',
    text: 'delete from push_subscriptions where endpoint = $2 and user_id <> $1',
    values: [userId, endpoint],
  })
  return tx.query<{ id: string }>({
    name: 'push-subscribe',
    text: `insert into push_subscriptions (user_id, endpoint, p256dh, auth, token_issued_at)
      select $1, $2, $3, $4, $5
      where (select count(*) from push_subscriptions where user_id = $1 and endpoint <> $2) < ${SUBSCRIPTIONS_MAX}
      on conflict (user_id, endpoint) do update set p256dh = $3, auth = $4, token_issued_at = $5
      returning id`,
    values: [userId, endpoint, keys.p256dh, keys.auth, issuedAt(caller)],
  })
}

async function shown(
  db: Pick<Database, 'query'>,
  userId: string,
  { MESSAGE_CHANNELS, VAPID_PUBLIC_KEY }: { MESSAGE_CHANNELS: ChosenChannel[]; VAPID_PUBLIC_KEY: string },
) {
  const [row] = await db.query<PreferencesRow>({
    name: 'preferences-get',
    text: `select language, choices, email, phone
      from (values ($1::uuid)) asked (user_id) left join preferences using (user_id) left join contacts using (user_id)`,
    values: [userId],
  })
  const { language, choices, email, phone } = row!
  const events = types.map((type) => {
    const { importance } = notified[type]
    const usual = (channel: ChosenChannel): boolean => usualChannels[importance].includes(channel)
    const chosen = (channel: ChosenChannel): boolean => choices?.[type]?.[channel] ?? usual(channel)
    return [type, Object.fromEntries(chosenChannels.map((channel) => [channel, chosen(channel)]))]
  })
  return {
    language: language ?? 'en',
    events: Object.fromEntries(events) as object,
    channels: MESSAGE_CHANNELS,
    email,
    phone,
    push_public_key: VAPID_PUBLIC_KEY || null,
  }
}
