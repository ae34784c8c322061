/** Control characters, line ends, halves of characters, and marks that change the direction of writing, with
 * which a text can be made to look like another. */
const UNWANTED = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu

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
