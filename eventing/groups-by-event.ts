/** Groups of events (see groups.ts) in which only some events of a type are. Such an event has the attribute
 * of the group as an extension of its own, which its context states. Most functions need to know nothing of
 * this, so it is no part of groups.ts, which all load. */

const OFFERED: Readonly<Record<string, string>> = { webhooks: 'offered' }
const NONE: Readonly<Record<string, string>> = {}

/** Types of which only some events are in a group. There are far more of these events than of all others, and
 * most concern nobody who has a web hook for them. So the ledger knows for whom they are offered:
 * is_watched() in functions/ledger/sql. */
export const typesGroupedByEvent: readonly string[] = [
  ...['transaction.completed', 'transaction.rejected', 'transaction.reversed'],
  ...['hold.placed', 'hold.captured', 'hold.released', 'hold.expired'],
]

/** Returns the attributes that some events of a type have, and others don't; empty if there are none. */
export const groupsByEvent = (type: string): Readonly<Record<string, string>> =>
  typesGroupedByEvent.includes(type) ? OFFERED : NONE
