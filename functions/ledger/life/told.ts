import { UnavailableError } from '../../../eventing/unavailable.ts'
import type { OnBehalf } from '../../host/route-request.ts'
import type { Tools } from '../../host/tools.ts'

/** What the context `notifications` knows of an event. */
export interface KnownOfEvent {
  notifications: ToldNotification[]
  dead_letters: ToldDeadLetter[]
}

export interface ToldNotification {
  id: string
  user_id: string
  event_type: string
  subject: string
  channel: string
  timestamp: string
  messages: { channel: string; status: string; attempts: { finished_at: string | null }[] }[]
}

/** Of one consumer that could not process the event. */
export interface ToldDeadLetter {
  id: string
  event_type: string
  trace_id: string | null
  destination: string
  status: string
  error_code: string | null
  deliveries: number
  created_at: string
}

/** Asks the context `notifications` what it knows of an event, with the caller's own token: a
 * customer learns of their own notifications only. Returns undefined if it does not answer. */
export async function toldOf(
  eventId: string,
  { caller, client, traceparent }: OnBehalf,
  { call, log }: Pick<Tools, 'call' | 'log'>,
  source: string,
): Promise<KnownOfEvent | undefined> {
  const path = `/notifications/by-event/${encodeURIComponent(eventId)}?source=${encodeURIComponent(source)}`
  try {
    const answer = await call('notifications', { path, token: caller.token, client, traceparent })
    return answer.status === 200 ? (answer.body as KnownOfEvent) : undefined
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error
    log.warn('notifications does not say what became of an event', {
      event_id: eventId,
      error: error.message,
    })
    return undefined
  }
}
