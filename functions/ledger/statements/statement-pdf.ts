import PDFDocument from 'pdfkit'
import boldFont from 'dejavu-fonts-ttf/ttf/DejaVuSansCondensed-Bold.ttf'
import regularFont from 'dejavu-fonts-ttf/ttf/DejaVuSansCondensed.ttf'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { formatAmount } from '../../host/values/money.ts'
import {
  dayOf,
  type AccountStatement,
  type StatementEntry,
  type StatementPages,
  type WriteStatement,
} from './account-statement.ts'
import { layOut, type PdfPage, type PdfRow } from './pdf-layout.ts'

/** Measures of a page, in points: A4. */
const PAGE = { width: 595.28, height: 841.89, left: 42, right: 553, top: 42, bottom: 790 }
const SIZE = { title: 15, text: 8, small: 7 }
const LINE = { text: 11, small: 9 }
/** Where each column begins, or for amounts ends. */
const COLUMN = { booked: 42, value: 118, text: 170, amount: 470, balance: 553 }
const TEXT_WIDTH = 220
/** More letters than any line has. */
const LINE_LENGTH_MAX = 120
const GREY = '#555555'
const LIGHT = '#bbbbbb'

// The names in the fonts themselves. Under another name, the library would open the first one again each
// time.
const [REGULAR, BOLD] = ['DejaVuSansCondensed', 'DejaVuSansCondensed-Bold'] as const

/** Writes a statement as PDF, with its fonts inside. They have the letters of Latin, Greek and Cyrillic
 * script. Its dates are those of the statement, so the same question gives the same bytes.
 *
 * It is drawn as a whole, because each page says how many there are, and one statement after the other,
 * because drawing takes ten times the memory of what comes of it. So the caller limits the number of
 * entries. */
export const writePdf: WriteStatement = async function* (statement, pages) {
  yield* await inTurn(() => draw(statement, pages))
}

let lastTurn: Promise<unknown> = Promise.resolve()

function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const turn = lastTurn.then(work)
  lastTurn = turn.catch(() => undefined)
  return turn
}

/** Rows after which other requests get their turn. */
const ROWS_AT_ONCE = 100

async function draw(statement: AccountStatement, pages: StatementPages): Promise<Buffer[]> {
  const document = openDocument(statement)
  const rows: PdfRow[] = []
  for await (const page of pages) {
    for (const entry of page) {
      rows.push(toRow(document, entry, statement))
      if (rows.length % ROWS_AT_ONCE === 0) await nextTurn()
    }
  }
  const last = LINE.text + 4 + sealLines(statement).length * LINE.small + 10
  const laidOut = layOut(rows, { first: 600, other: 705, last })
  const bytes: Buffer[] = []
  for (const [index, page] of laidOut.entries()) {
    document.addPage()
    drawPage(document, statement, { page, number: index + 1, count: laidOut.length })
    bytes.push(...written(document))
    await nextTurn()
  }
  document.end()
  return [...bytes, ...written(document)]
}

type Document = InstanceType<typeof PDFDocument>

function openDocument(statement: AccountStatement): Document {
  const { account, asOf } = statement
  const document = new PDFDocument({
    autoFirstPage: false,
    size: [PAGE.width, PAGE.height],
    margin: 0,
    lang: 'en',
    displayTitle: true,
    // Without one of its own, the library reads one of its files, which the bundle does not have.
    font: regularFont as unknown as string,
    info: { Title: `Statement of account ${account.id}`, Author: 'microbank', CreationDate: asOf },
  })
  document.registerFont(BOLD, boldFont)
  return document
}

/** Takes what has been written so far. */
function* written(document: Document): Iterable<Buffer> {
  for (let bytes = document.read() as Buffer | null; bytes; bytes = document.read() as Buffer | null)
    yield bytes
}

/** Returns an entry as lines of text, and how high they are together. */
function toRow(document: Document, entry: StatementEntry, { account }: AccountStatement): PdfRow {
  const { type, isFee, description, counterpartyAccountId } = entry
  const title = `${type.charAt(0).toUpperCase()}${type.slice(1)}${isFee ? ': fee' : ''}`
  const side = entry.amount > 0n ? 'from' : 'to'
  document.font(REGULAR).fontSize(SIZE.small)
  const details = [
    ...(description ? wrap(document, description) : []),
    ...(counterpartyAccountId && !isFee ? [`${side} ${counterpartyAccountId}`] : []),
  ]
  return {
    booked: `${entry.bookedAt.toISOString().slice(0, 16).replace('T', ' ')}`,
    value: entry.valueDate,
    title,
    details,
    amount: formatAmount(entry.amount, account.currency),
    balance: formatAmount(entry.balanceAfter, account.currency),
    height: LINE.text + details.length * LINE.small + 4,
  }
}

/** Breaks a text into lines: between words, or inside of one that is longer than a line. */
function wrap(document: Document, text: string): string[] {
  const fits = (line: string): boolean => document.widthOfString(line) <= TEXT_WIDTH
  if (text.length <= LINE_LENGTH_MAX && fits(text)) return [text]
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/\s+/u)) {
    const longer = line === '' ? word : `${line} ${word}`
    if (longer.length <= LINE_LENGTH_MAX && fits(longer)) {
      line = longer
      continue
    }
    if (line !== '') lines.push(line)
    line = ''
    // The library keeps each text that it has measured. Of a word of 500 letters that would be 500 texts, so
    // the letters are measured.
    let width = 0
    for (const character of word) {
      width += document.widthOfString(character)
      if (line !== '' && width > TEXT_WIDTH) {
        lines.push(line)
        line = ''
        width = document.widthOfString(character)
      }
      line += character
    }
  }
  return line === '' ? lines : [...lines, line]
}

interface DrawnPage {
  page: PdfPage
  number: number
  count: number
}

function drawPage(document: Document, statement: AccountStatement, { page, number, count }: DrawnPage): void {
  let y = number === 1 ? drawFirstHead(document, statement) : drawHead(document, statement)
  y = drawColumns(document, y)
  if (number === 1) y = drawBalance(document, y, 'Opening balance', statement.opening, statement)
  for (const row of page.rows) y = drawRow(document, y, row)
  if (number === count) {
    y = drawBalance(document, y, 'Closing balance', statement.closing, statement)
    drawSeal(document, y + 8, statement)
  }
  document.font(REGULAR).fontSize(SIZE.small).fillColor(GREY)
  put(document, 'Times are UTC. Amounts with a minus were paid by the account.', PAGE.left, PAGE.bottom + 10)
  putRight(document, `Page ${number} of ${count}`, PAGE.right, PAGE.bottom + 10)
}

/** Draws the head of the first page, with the sums. Returns where it ends. */
function drawFirstHead(document: Document, statement: AccountStatement): number {
  const { account, credits, debits, opening, closing } = statement
  const format = (minorUnits: bigint): string =>
    `${formatAmount(minorUnits, account.currency)} ${account.currency}`
  document.font(BOLD).fontSize(SIZE.title).fillColor('black')
  put(document, 'Statement of account', PAGE.left, PAGE.top)
  document.font(REGULAR).fontSize(SIZE.text)
  const lines: [string, string][] = [
    ['Account', account.id],
    ['Period', periodOf(statement)],
    ['Entries', versionsOf(statement)],
    ['Opening balance', format(opening)],
    [`Credits (${credits.count})`, format(credits.sum)],
    [`Debits (${debits.count})`, format(debits.sum === 0n ? 0n : -debits.sum)],
    ['Closing balance', format(closing)],
  ]
  let y = PAGE.top + 26
  for (const [name, text] of lines) {
    document.fillColor(GREY)
    put(document, name, PAGE.left, y)
    document.fillColor('black')
    put(document, text, PAGE.left + 90, y)
    y += LINE.text
  }
  return y + 8
}

function drawHead(document: Document, statement: AccountStatement): number {
  document.font(REGULAR).fontSize(SIZE.small).fillColor(GREY)
  put(document, `Statement of account ${statement.account.id}, ${periodOf(statement)}`, PAGE.left, PAGE.top)
  return PAGE.top + 16
}

function drawColumns(document: Document, y: number): number {
  document.font(BOLD).fontSize(SIZE.text).fillColor('black')
  put(document, 'Booked', COLUMN.booked, y)
  put(document, 'Value date', COLUMN.value, y)
  put(document, 'Transaction', COLUMN.text, y)
  putRight(document, 'Amount', COLUMN.amount, y)
  putRight(document, 'Balance', COLUMN.balance, y)
  rule(document, y + LINE.text + 1, GREY)
  return y + LINE.text + 5
}

function drawRow(document: Document, y: number, row: PdfRow): number {
  document.font(REGULAR).fontSize(SIZE.text).fillColor('black')
  put(document, row.booked, COLUMN.booked, y)
  put(document, row.value, COLUMN.value, y)
  put(document, row.title, COLUMN.text, y)
  putRight(document, row.amount, COLUMN.amount, y)
  putRight(document, row.balance, COLUMN.balance, y)
  document.fontSize(SIZE.small).fillColor(GREY)
  row.details.forEach((line, index) => put(document, line, COLUMN.text, y + LINE.text + index * LINE.small))
  rule(document, y + row.height - 3, LIGHT)
  return y + row.height
}

function drawBalance(
  document: Document,
  y: number,
  name: string,
  minorUnits: bigint,
  { account }: AccountStatement,
): number {
  document.font(BOLD).fontSize(SIZE.text).fillColor('black')
  put(document, name, COLUMN.text, y)
  putRight(document, formatAmount(minorUnits, account.currency), COLUMN.balance, y)
  return y + LINE.text + 4
}

/** The checkpoint under which the statement can be proved, line by line as it was signed. */
function sealLines({ seal }: AccountStatement): string[] {
  if (!seal) return ['Not sealed yet.']
  return [`Sealed with seal ${seal.n}, which has this checkpoint:`, ...seal.note.trimEnd().split('\n')]
}

function drawSeal(document: Document, y: number, statement: AccountStatement): void {
  document.font(REGULAR).fontSize(SIZE.small).fillColor(GREY)
  sealLines(statement).forEach((line, index) => put(document, line, PAGE.left, y + index * LINE.small))
}

const put = (document: Document, text: string, x: number, y: number): void =>
  void document.text(text, x, y, { lineBreak: false })

/** Writes a text that ends at `right`. */
const putRight = (document: Document, text: string, right: number, y: number): void =>
  put(document, text, right - document.widthOfString(text), y)

const rule = (document: Document, y: number, color: string): void =>
  void document.moveTo(PAGE.left, y).lineTo(PAGE.right, y).lineWidth(0.5).strokeColor(color).stroke()

function periodOf({ basis, from, to, asOf }: AccountStatement): string {
  const time = (moment: Date): string =>
    moment.getTime() % 86_400_000 === 0 ? dayOf(moment) : moment.toISOString().slice(0, 19).replace('T', ' ')
  const start = from ? `from ${time(from)}` : 'from the beginning'
  const end = to ? `until before ${time(to)}` : `until ${time(asOf)}`
  return `${start} ${end}${basis === 'value' ? ', by value date' : ''}`
}

function versionsOf({ fromVersion, toVersion, knownVersion }: AccountStatement): string {
  if (fromVersion === null || toVersion === null) return `as known with entry ${knownVersion}`
  return fromVersion === toVersion ? 'none' : `${fromVersion + 1n} to ${toVersion}`
}
