import { UNSEEN } from '../../host/values/unseen.ts'

/** What is unseen, and the marks that say how the letters beside them are written. */
const UNWANTED = new RegExp(`[${UNSEEN}\\u061c\\u200e\\u200f]+`, 'gu')

/** Returns the text without anything that could end a header or deceive a reader, on one line, at most
 * `lengthMax` characters long. */
export function onOneLine(text: string, lengthMax: number): string {
  const plain = text.replaceAll(UNWANTED, ' ').replaceAll(/ {2,}/g, ' ').trim()
  const characters = [...plain]
  return characters.length > lengthMax ? `${characters.slice(0, lengthMax - 1).join('')}…` : plain
}

/** The same for a text of several lines, without a limit. */
export const onLines = (text: string): string =>
  text
    .split(/\r\n|[\r\n]/)
    .map((line) => line.replaceAll(UNWANTED, ' ').trimEnd())
    .join('\n')

/** What makes a link, an address or a phone number, for a reader or for their mail program. */
const NO_NAME = /[:@\\]|\.\p{L}{2}|\d{3}/u

/** Returns a person's name on one line; nothing if it holds a link, an address or a phone number. Anybody can
 * register with the address of somebody else, and the bank would then write to them what the name says. */
export function plainName(name: string): string {
  const plain = onOneLine(name, 100)
  return NO_NAME.test(plain.normalize('NFKC')) ? '' : plain
}
