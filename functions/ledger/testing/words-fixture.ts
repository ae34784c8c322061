/** Words as functions/host/database/sql/0004-words.sql has them, told in another language. */

const HAN = '[\\u3040-\\u30ff\\u3400-\\u4dbf\\u4e00-\\u9fff]'
const WORD = new RegExp(`${HAN}|(?:(?!${HAN})[\\p{L}\\p{N}])+`, 'gu')
const comparable = (text: string): string =>
  text.normalize('NFKC').toLowerCase().replaceAll('ß', 'ss').replaceAll('ς', 'σ')
export const wordsOf = (text: string): string[] => comparable(text).match(WORD) ?? []

/** Says whether a description has all words of a query; the last may be the beginning of one. */
export function hasWords(description: string | null, query: string): boolean {
  const own = wordsOf(description ?? '')
  const wanted = wordsOf(query)
  const last = /[\p{L}\p{N}]$/u.test(comparable(query)) ? wanted.pop()! : undefined
  return (
    wanted.every((word) => own.includes(word)) &&
    (last === undefined || own.some((word) => word.startsWith(last)))
  )
}
