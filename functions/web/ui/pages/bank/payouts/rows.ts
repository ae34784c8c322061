/** A row of a payout's CSV as it was typed: payee, amount, note. */
export interface TypedPayoutRow {
  /** The line that it begins in, from 1. */
  line: number
  payee: string
  amount: string
  note: string
  /** How many cells it has. */
  cells: number
}

const HEADINGS = /^(payee|email|e-mail|account|empfänger|konto)$/i

/** Reads CSV (RFC 4180). Cells are separated by semicolons or tabs if the first line has one, else by commas.
 * A line with headings and empty lines are left out. */
export function readPayoutRows(text: string): TypedPayoutRow[] {
  const [first = ''] = text.split(/\r?\n/, 1)
  const separator = first.includes(';') ? ';' : first.includes('\t') ? '\t' : ','
  return readCsv(text, separator)
    .filter(({ cells }) => cells.some((cell) => cell.trim() !== ''))
    .filter(({ cells }, n) => n > 0 || !HEADINGS.test(cells[0]!.trim()))
    .map(({ line, cells }) => {
      const [payee = '', amount = '', note = ''] = cells.map((cell) => cell.trim())
      return { line, payee, amount, note, cells: cells.length }
    })
}

function readCsv(text: string, separator: string): { line: number; cells: string[] }[] {
  const records: { line: number; cells: string[] }[] = []
  let [cells, cell, isQuoted, line, begin]: [string[], string, boolean, number, number] = [
    [],
    '',
    false,
    1,
    1,
  ]
  const end = (): void => {
    records.push({ line: begin, cells: [...cells, cell] })
    cells = []
    cell = ''
    begin = line + 1
  }
  for (let n = 0; n < text.length; n++) {
    const sign = text[n]!
    if (isQuoted) {
      if (sign === '"' && text[n + 1] === '"') cell += text[++n]
      else if (sign === '"') isQuoted = false
      else cell += sign
    } else if (sign === '"' && cell.trim() === '') [isQuoted, cell] = [true, '']
    else if (sign === separator) [cells, cell] = [[...cells, cell], '']
    else if (sign === '\n') end()
    else if (sign !== '\r' && sign !== '\ufeff') cell += sign
    if (sign === '\n') line++
  }
  end()
  return records
}
