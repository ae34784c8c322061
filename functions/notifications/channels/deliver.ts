import { notificationFailed } from '../../../eventing/contracts/notification.failed.ts'
import { notificationSent } from '../../../eventing/contracts/notification.sent.ts'
import type { MailedLink } from '../../../eventing/contracts/mailed-link.ts'
import type { MessageDue } from '../../../eventing/contracts/message.due.ts'
import { UnavailableError } from '../../../eventing/unavailable.ts'
import type { Tools } from '../../host/tools.ts'
import { languages, type Language } from '../templates/formats.ts'
import { notified } from '../templates/notified.ts'
import type { MessageText } from '../templates/template.ts'
import { eventText, templatesOf } from '../templates/templates.ts'
import type { Channel, MessageContent } from './message.ts'
import type { MessageLink, OutgoingMessage, SendOutcome } from './outgoing.ts'
import { onOneLine, plainName } from './plain.ts'

interface ClaimedMessage {
  id: string
  notification_id: string
  user_id: string
  event_type: string
  content: MessageContent
  attempts: number
  /** Earlier attempts after which nobody knows whether the message arrived. */
  unsure: number
  created_at: Date
  language: string
  name: string | null
  is_deleted: boolean
  /** How many other mails of its kind went to the same address today, none of which its user is known to
   * want. */
  unproven: number
  to: string | null
  subscription: OutgoingMessage['subscription']
}

/** After this long an attempt counts as dead, and the message may be tried again. Longer than an attempt and
 * the storing of its outcome may take. */
const ATTEMPT_SECONDS_MAX = 90
/** As many attempts follow each other at once, by the Broker's retries; after them a sweep wakes the
 * message. */
const QUICK_ATTEMPTS = 3
/** The Broker's retries have ended by then. */
const BROKER_SECONDS_MAX = 600
const WAIT_SECONDS = { first: 60, max: 3_600, maxAsked: 6 * 3_600 }
/** A message that is so old is of no use any more. */
const HOURS_MAX = 48
/** After so many attempts of which each may have arrived, there is no further one: a slow server would have
 * the user get the same again and again. */
const UNSURE_MAX = 3
/** Anybody can register with another's address. Until it is confirmed, no more mails of a kind than these go
 * there in a day, however often they log in and register again; by kind, so that log-ins don't hide a changed
 * password from a user who has not confirmed. Links are not among them: identity limits those. */
const UNPROVEN_PER_DAY_MAX = 5
/** RFC 5321, 4.5.3.2.6: a server may take ten minutes to say that it has a mail. */
const UNSURE_WAIT_SECONDS = 600
const ANSWER_LENGTH_MAX = 500

/** Sends one message, if it is due and nobody else is sending it; does nothing otherwise, so an event may
 * come any number of times. Stores the outcome, with notification.sent or notification.failed. Throws
 * UnavailableError if the Broker should try again soon.
 *
 * The attempt is stored before it begins, the outcome after it. If the process dies between the two, nobody
 * knows whether the message has left, and it is sent again after ATTEMPT_SECONDS_MAX. */
export async function deliverMessage(
  due: MessageDue,
  channel: Channel,
  { tools, traceparent }: { tools: Tools; traceparent: string },
  send: (message: OutgoingMessage) => Promise<SendOutcome>,
): Promise<void> {
  const claimed = await claim(tools, due.message_id, channel)
  if (!claimed) return
  const ended = giveUp(await attemptOf(claimed, send), claimed)
  const isQuick = ended.outcome === 'later' && !ended.waitSeconds && claimed.attempts < QUICK_ATTEMPTS
  await persist(() => finish(tools, traceparent, { claimed, channel, attempt: ended, isQuick }))
  if (ended.outcome !== 'sent')
    tools.log.warn('a message was not sent', {
      ...{ message_id: claimed.id, attempts: claimed.attempts, outcome: ended.outcome },
    })
  if (isQuick) throw new UnavailableError(`the message ${claimed.id} could not be sent now`)
}

/** Tries to send the message. One that kills each process that tries is given up at last, too. */
async function attemptOf(
  claimed: ClaimedMessage,
  send: (message: OutgoingMessage) => Promise<SendOutcome>,
): Promise<SendOutcome> {
  if (claimed.is_deleted) return { outcome: 'failed', answer: 'the user was deleted' }
  if (claimed.unproven >= UNPROVEN_PER_DAY_MAX)
    return { outcome: 'failed', answer: 'the address is not confirmed, and has got enough mails today' }
  if (claimed.attempts > 1 && isOld(claimed)) return { outcome: 'later', answer: 'not tried any more' }
  try {
    return await send(toOutgoing(claimed))
  } catch (error) {
    return { outcome: 'later', answer: (error as Error).message }
  }
}

const TYPES_WITH_LINK = Object.entries(notified).flatMap(([type, { link }]) => (link ? [type] : []))

/** Takes the message for one attempt; undefined if it is sent, not due, or being sent by somebody else. If
 * its wait began in the future, or ends further ahead than any wait lasts, the clock was set back since: then
 * the message is due. */
async function claim({ db }: Tools, id: string, channel: Channel): Promise<ClaimedMessage | undefined> {
  const [claimed] = await db.query<ClaimedMessage>({
    name: 'message-claim',
    text: `with claimed as (
        update messages set attempts = attempts + 1, next_attempt_at = now() + $3 * interval '1 second',
          wake_at = now() + $3 * interval '1 second',
          unproven_to = case when channel = 'email' and content ->> 'event' <> all ($5) then (
            select sha256(convert_to(lower(coalesce(messages.address, c.email)), 'UTF8'))
            from (values (messages.user_id)) of_user (id) left join contacts c on c.user_id = of_user.id
            where coalesce(messages.address, c.email) is distinct from c.confirmed_email
          ) end
        where id = $1 and channel = $2 and status = 'stored'
          and (next_attempt_at <= now() or next_attempt_at > now() + $4 * interval '1 second'
            or now() + interval '1 second' < coalesce((
              select coalesce(a.finished_at, a.started_at) from message_attempts a where a.message_id = $1
              order by a.attempt desc limit 1
            ), created_at))
        returning *
      ), attempt as (
        insert into message_attempts (message_id, attempt) select id, attempts from claimed
      )
      select m.id, m.notification_id, m.user_id, n.event_type, m.content, m.attempts, m.created_at,
        (select count(*)::int from message_attempts a where a.message_id = m.id and a.outcome = 'unsure') as unsure,
        (select count(*)::int from messages o where o.unproven_to = m.unproven_to and o.kind = m.kind
          and o.id <> m.id and o.status <> 'failed' and o.created_at > now() - interval '24 hours') as unproven,
        coalesce(p.language, 'en') as language, c.name, c.deleted_at is not null as is_deleted,
        case m.channel when 'email' then coalesce(m.address, c.email) when 'sms' then c.phone end as "to",
        case when t.id is not null then json_build_object('id', t.id, 'endpoint', t.endpoint,
          'keys', json_build_object('p256dh', t.p256dh, 'auth', t.auth)) end as subscription
      from claimed m join notifications n on n.id = m.notification_id
      left join contacts c on c.user_id = m.user_id
      left join preferences p on p.user_id = m.user_id
      left join push_subscriptions t on t.id = m.subscription_id`,
    values: [id, channel, ATTEMPT_SECONDS_MAX, WAIT_SECONDS.maxAsked + 60, TYPES_WITH_LINK],
  })
  return claimed
}

function toOutgoing(claimed: ClaimedMessage): OutgoingMessage {
  const language = languages.find((known) => known === claimed.language) ?? 'en'
  const { title, text } = textOf(claimed.content, language)
  return {
    id: claimed.id,
    language,
    name: plainName(claimed.name ?? ''),
    to: claimed.to,
    subscription: claimed.subscription,
    title: onOneLine(title, 150),
    text,
    link: linkOf(claimed.content),
    createdAt: claimed.created_at,
  }
}

function linkOf(content: MessageContent): MessageLink | null {
  const purpose = 'event' in content ? notified[content.event].link : undefined
  if (!purpose) return null
  const { link_id: id, expires_at: end } = (content as { data: object }).data as MailedLink
  return { purpose, id, expiresAt: new Date(end) }
}

function textOf(content: MessageContent, language: Language): MessageText {
  if ('event' in content) return eventText(content.event, content.data, language)
  const { notices, fromTheBank } = templatesOf(language)
  if ('notice' in content) return notices[content.notice]
  return { title: fromTheBank, text: content.text }
}

const isWaiting = ({ outcome }: SendOutcome): boolean => outcome === 'later' || outcome === 'unsure'

const isOld = ({ created_at: createdAt }: ClaimedMessage): boolean =>
  Date.now() - createdAt.getTime() > HOURS_MAX * 3_600_000

/** Ends what is too old, or may have arrived several times. */
function giveUp(attempt: SendOutcome, claimed: ClaimedMessage): SendOutcome {
  if (attempt.outcome === 'unsure' && claimed.unsure + 1 >= UNSURE_MAX)
    return {
      outcome: 'failed',
      answer: `it may have arrived ${UNSURE_MAX} times; at last: ${attempt.answer}`,
    }
  if (!isWaiting(attempt) || !isOld(claimed)) return attempt
  return { outcome: 'failed', answer: `given up after ${HOURS_MAX} hours; at last: ${attempt.answer}` }
}

interface FinishedAttempt {
  claimed: ClaimedMessage
  channel: Channel
  attempt: SendOutcome
  isQuick: boolean
}

/** Stores the outcome. That a message left is true whoever else tries meanwhile; every other outcome counts
 * only if nobody has begun another attempt. */
const finish = (
  { transact }: Tools,
  traceparent: string,
  { claimed, channel, attempt, isQuick }: FinishedAttempt,
): Promise<void> =>
  transact(traceparent, async (tx) => {
    const answer = onOneLine(attempt.answer, ANSWER_LENGTH_MAX)
    await tx.query({
      name: 'message-attempt-end',
      // An answer often names the address. A user who was deleted meanwhile leaves none.
      text: `update message_attempts set finished_at = now(), outcome = $3,
          answer = case when not exists (
            select from contacts where user_id = $5 and deleted_at is not null
          ) then $4 end
        where message_id = $1 and attempt = $2`,
      values: [claimed.id, claimed.attempts, attempt.outcome, answer, claimed.user_id],
    })
    const isLater = isWaiting(attempt)
    const seconds = isLater ? waitSeconds(attempt, claimed.attempts) : 0
    const [ended] = await tx.query<{ at: Date }>({
      name: 'message-end',
      text: `update messages set status = $3, finished_at = case when $3 <> 'stored' then now() end,
          next_attempt_at = now() + $4 * interval '1 second', wake_at = now() + $5 * interval '1 second',
          content = case when $3 = 'stored' then content else '{}' end,
          address = case when $3 = 'stored' then address end
        where id = $1 and status = 'stored' and ($3 = 'sent' or attempts = $2)
        returning now() as at`,
      values: [
        claimed.id,
        claimed.attempts,
        isLater ? 'stored' : attempt.outcome,
        isQuick ? 0 : seconds,
        isQuick ? BROKER_SECONDS_MAX : seconds,
      ],
    })
    if (!ended || isLater) return
    tx.emit(attempt.outcome === 'sent' ? notificationSent : notificationFailed, {
      subject: claimed.notification_id,
      partitionkey: claimed.user_id,
      data: {
        notification_id: claimed.notification_id,
        message_id: claimed.id,
        user_id: claimed.user_id,
        event_type: claimed.event_type,
        channel,
        attempts: claimed.attempts,
        timestamp: ended.at.toISOString(),
      },
    })
  })

/** Returns how long to wait after so many attempts: twice as long each time, or as long as the provider
 * asked for. */
function waitSeconds(attempt: SendOutcome, attempts: number): number {
  if (attempt.outcome !== 'later') return UNSURE_WAIT_SECONDS
  const usual = Math.min(WAIT_SECONDS.first * 2 ** Math.max(0, attempts - QUICK_ATTEMPTS), WAIT_SECONDS.max)
  return Math.min(Math.max(usual, attempt.waitSeconds ?? 0), WAIT_SECONDS.maxAsked)
}

const PERSIST_MS = [200, 1_000, 3_000]

/** Tries again if the database is away for a moment: an outcome that is not stored means a second message. */
async function persist(work: () => Promise<void>): Promise<void> {
  for (const pauseMs of PERSIST_MS) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  }
  await work()
}
