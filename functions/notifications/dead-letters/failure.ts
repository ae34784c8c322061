import { UUID } from '../../host/values/uuid-text.ts'

/** What a dead letter's failure has in common with others. */

/** Triggers that share a consumer with one of its own name, by the consumer and the type of their events. A
 * dead letter names only the consumer. */
const SECOND_TRIGGERS: Readonly<Record<string, string>> = {
  'notify transaction.reversed': 'notify-reversal',
  'queue-web-hooks notification.stored': 'queue-web-hooks-notifications',
}

/** Returns the name of the function at an address within the cluster. */
export const consumerOf = (destination: string): string | undefined =>
  /^https?:\/\/([a-z0-9-]{1,63})/.exec(destination)?.[1]

/** Returns the Trigger that delivers events of a type to a destination; `other` for an unknown one. */
export function triggerOf(destination: string, eventType: string): string {
  const consumer = consumerOf(destination) ?? 'other'
  return SECOND_TRIGGERS[`${consumer} ${eventType}`] ?? consumer
}

/** Returns what a consumer said in its last answer: the detail of a problem, or else all of it; null if it
 * said nothing. */
export const answerOf = (data: string | null): string | null =>
  data === null || data === '' ? null : (detailOf(data) ?? data)

function detailOf(answer: string): string | undefined {
  try {
    const { detail } = JSON.parse(answer) as { detail?: unknown }
    return typeof detail === 'string' ? detail : undefined
  } catch {
    return undefined // Cut off, or not a problem.
  }
}

const ERROR_MAX = 200
/** Characters of an answer that are looked at. Our Broker keeps 1,024 bytes. */
const ANSWER_MAX = 2_000
const UUIDS = new RegExp(UUID, 'gi')
/** Addresses of mail, and words of any kind. */
const WORDS = /[^\s@]+@[^\s@]+|[\w+-]+/g
/** Ids, keys, hashes and figures have digits, or are longer than a word of a sentence. */
const isValue = (word: string): boolean => /[\d@]/.test(word) || word.length > 40

/** Returns what a consumer said of an event without what differs from event to event, so that the same
 * failure reads the same, and names nobody. Null if it said nothing. */
export function errorOf(data: string | null, event: { type: string; id: string }): string | null {
  const said = answerOf(data)
    ?.slice(0, ANSWER_MAX)
    // An id may be any text.
    .replaceAll(`${event.type} ${event.id} `, () => `${event.type} … `)
    .replace(UUIDS, '…')
    .replace(WORDS, (word) => (isValue(word) ? '…' : word))
    .replace(/…([.:,/]?…)+/g, '…')
    .replace(/\s+/g, ' ')
    .trim()
  return said ? [...said].slice(0, ERROR_MAX).join('') : null
}
