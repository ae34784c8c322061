/** A row of a payout's CSV as it was typed: payee, amount, note. */
export interface TypedPayoutRow {
  /** The line that it begins in, from 1. */
  line: number
  payee: string
  amount: string
  note: string
  /** How many cells it has. */
  cells: number
  /** Whether its quotes are odd: one has no end, or text follows one. What is meant is anybody's guess. */
  isMisquoted: boolean
}

const HEADINGS = /^(payee|email|e-mail|account|empfänger|konto)$/i

/** What ends the first cell. A comma or a semicolon in a note tells nothing of the file. */
const FIRST_SEPARATOR = /^\s*(?:"(?:[^"]|"")*"|[^",;\t\n]*)[^\S\t\n]*([,;\t])/

interface CsvRecord {
  line: number
  cells: string[]
  isMisquoted: boolean
}

/** Reads CSV (RFC 4180), with any line ends. What ends the first cell separates them all: a comma, a
 * semicolon or a tab. A line with headings and empty lines are left out. */
export function readPayoutRows(text: string): TypedPayoutRow[] {
  const plain = text.replace(/^\ufeff/, '').replaceAll(/\r\n?/g, '\n')
  return readCsv(plain, FIRST_SEPARATOR.exec(plain)?.[1] ?? ',')
    .filter(({ cells }) => cells.some((cell) => cell.trim() !== ''))
    .filter(({ cells }, n) => n > 0 || !HEADINGS.test(cells[0]!.trim()))
    .map(({ line, cells, isMisquoted }) => {
      const [payee = '', amount = '', note = ''] = cells.map((cell) => cell.trim())
      return { line, payee, amount, note, cells: cells.length, isMisquoted }
    })
}

function readCsv(text: string, separator: string): CsvRecord[] {
  const records: CsvRecord[] = []
  let record: CsvRecord = { line: 1, cells: [], isMisquoted: false }
  let [cell, line] = ['', 1]
  let quotes: 'none' | 'open' | 'closed' = 'none'
  const endCell = (): void => {
    record.cells.push(cell)
    if (quotes === 'open') record.isMisquoted = true
    cell = ''
    quotes = 'none'
  }
  const endRecord = (): void => {
    endCell()
    records.push(record)
    record = { line: line + 1, cells: [], isMisquoted: false }
  }
  for (let n = 0; n < text.length; n++) {
    const sign = text[n]!
    if (quotes === 'open') {
      if (sign === '"' && text[n + 1] === '"') cell += text[++n]
      else if (sign === '"') quotes = 'closed'
      else cell += sign
    } else if (sign === separator) endCell()
    else if (sign === '\n') endRecord()
    else if (sign === '"' && quotes === 'none' && cell.trim() === '') [quotes, cell] = ['open', '']
    else if (quotes === 'none') cell += sign
    else if (sign.trim() !== '') record.isMisquoted = true
    if (sign === '\n') line++
  }
  endRecord()
  return records
}
