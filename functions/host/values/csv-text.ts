// What a program may skip before a formula, and the signs that begin one. The last four are full-width forms,
// which some programs take for the same.
const SKIPPED = `["' ]*`
const SIGN = '[=+\\-@\\uff1d\\uff0b\\uff0d\\uff20]'
// Where a program can see the beginning of a cell that it takes for a formula: in front, also of a tab or
// line break, at a semicolon or tab if it separates fields by those, and after a line break.
const START = `(?<=^|[;\\t\\r\\n])`
const BEFORE_FORMULA = `(?=${SKIPPED}${SIGN})`
const BEFORE_BREAK = `(?=${SKIPPED}[\\t\\r\\n])`
const CELL = new RegExp(`${START}${BEFORE_FORMULA}|^${BEFORE_BREAK}`, 'g')
const GUARDED = new RegExp(`${START}'${BEFORE_FORMULA}|^'${BEFORE_BREAK}`, 'g')

/** Puts an apostrophe before whatever a spreadsheet would take for a formula and run, if somebody opens the
 * text there (https://owasp.org/www-community/attacks/CSV_Injection). */
export const guardText = (text: string): string => text.replace(CELL, "'")

/** Takes back what guardText() did: gives the text as it was. */
export const unguardText = (text: string): string => text.replace(GUARDED, '')

/** Returns a cell of CSV (RFC 4180) with a text that somebody else wrote. */
export const textCell = (text: string): string => `"${guardText(text).replaceAll('"', '""')}"`
