import { UNSEEN } from '../../../host/values/unseen.ts'
import { ANY_UUID } from '../../../host/values/uuid-text.ts'

/** What a typed text asks for: something by its id, an account by its number, or words. */
export type Question = { id: string } | { account_number: string } | { query: string }

/** The most characters that the bank takes. */
export const QUERY_MAX = 254

/** Returns what a text asks for; undefined if it asks for nothing. */
export function questionOf(text: string): Question | undefined {
  const typed = text.trim()
  if (ANY_UUID.test(typed)) return { id: typed.toLowerCase() }
  const number = typed.replaceAll(/\s/g, '')
  if (/^[1-9]\d{11}$/.test(number)) return { account_number: number }
  // The bank finds words, and refuses a query that has none.
  return /[\p{L}\p{N}]/u.test(typed) ? { query: typed.slice(0, QUERY_MAX) } : undefined
}

/** The most letters that the search for transactions takes. */
const WORDS_MAX = 200

const unseen = new RegExp(`[${UNSEEN}]`, 'gu')

/** Returns a text as the search for transactions takes it. Cells that were pasted from a table are apart by
 * tabs, which it refuses. */
export const transactionWords = (text: string): string => text.slice(0, WORDS_MAX).replaceAll(unseen, ' ')

/** A menu may say where a long word can be broken: that ends no word. */
const SOFT_HYPHENS = /\u00ad/g

const wordsOf = (text: string): string[] =>
  text
    .replaceAll(SOFT_HYPHENS, '')
    .normalize('NFKC')
    .toLowerCase()
    .match(/[\p{L}\p{N}]+/gu) ?? []

/** Whether each word of a text is the beginning of a word in the names, as in the bank's own search. A text
 * without words matches nothing. */
export function isNamedBy(text: string, names: readonly string[]): boolean {
  const known = names.flatMap(wordsOf)
  const asked = wordsOf(text)
  return asked.length > 0 && asked.every((word) => known.some((name) => name.startsWith(word)))
}
