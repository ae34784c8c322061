import { ProblemError, problems } from '../../host/problems.ts'
import { ANY_UUID } from '../../host/values/uuid-text.ts'

/** A place in the order in which notifications are sent: that of the transactions that stored them, and of
 * their ids within one. Nothing appears before a place that was sent, because notifications are sent only
 * when all transactions up to theirs have ended. */
export interface StreamPlace {
  xact: bigint
  /** Before all ids of the transaction if it is NO_ID. */
  id: string
}

export const NO_ID = '00000000-0000-0000-0000-000000000000'

/** Says whether `a` comes after `b`. Ids are compared as Postgres does: their text has the same order. */
export const isAfter = (a: StreamPlace, b: StreamPlace): boolean =>
  a.xact > b.xact || (a.xact === b.xact && a.id > b.id)

/** Where a client wants to go on: after a notification, or after a place at which a stream began. */
export type Resumption = { after: 'notification'; id: string } | { after: 'place'; xact: bigint; ms: number }

/** Returns the event id of a place at which a stream begins, so that a client can come back to it even if it
 * got no notification. `ms` is the time of the place, in milliseconds since 1970. */
export const placeId = ({ xact }: StreamPlace, ms: number): string => `@${xact}.${ms}`

const PLACE = /^@(\d{1,18})\.(\d{1,14})$/

/** Reads the id of the last event that a client got. Throws a ProblemError (400) if no stream gave it. */
export function readEventId(text: string): Resumption {
  if (ANY_UUID.test(text)) return { after: 'notification', id: text.toLowerCase() }
  const [, xact, ms] = PLACE.exec(text) ?? []
  if (xact === undefined) throw unknownEvent()
  return { after: 'place', xact: BigInt(xact), ms: Number(ms) }
}

export const unknownEvent = (): ProblemError =>
  new ProblemError(problems.invalidInput, 'The last event was not sent by a stream of yours.', {
    errors: [{ path: '/last_event_id', message: 'must be the id of an event of an earlier stream' }],
  })
