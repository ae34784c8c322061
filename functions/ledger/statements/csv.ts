import { textCell } from '../../host/values/csv-text.ts'
import { formatAmount } from '../../host/values/money.ts'
import type { EntrySum, StatementEntry, WriteStatement } from './account-statement.ts'

/** The columns. Only `description` holds text that somebody wrote, or a checkpoint. */
export const csvColumns = [
  'record',
  'version',
  'booked_at',
  'value_date',
  'amount',
  'currency',
  'balance',
  'transaction_id',
  'type',
  'description',
  'counterparty_account_id',
  'fee',
  'count',
] as const

type CsvColumn = (typeof csvColumns)[number]

/** Writes a statement as CSV (RFC 4180): the opening balance, the entries, the sums of credits and debits,
 * the checkpoint if there is one, and the closing balance, each in a record of the same columns. The last
 * record shows that nothing is missing.
 *
 * There is no byte order mark: many programs would take it for a part of the first column's name. */
export const writeCsv: WriteStatement = async function* (statement, pages) {
  const { currency } = statement.account
  const format = (minorUnits: bigint): string => formatAmount(minorUnits, currency)
  const balance = (record: string, version: bigint | null, minorUnits: bigint): string =>
    toRecord({ record, version: String(version ?? ''), currency, balance: format(minorUnits) })
  const total = (record: string, { count, sum }: EntrySum, sign: bigint): string =>
    toRecord({ record, amount: format(sign * sum), currency, count: String(count) })

  yield `${csvColumns.join(',')}\r\n${balance('opening', statement.fromVersion, statement.opening)}`
  for await (const page of pages) {
    let text = ''
    for (const entry of page) text += toRecord(fieldsOf(entry, currency))
    yield text
  }
  yield total('credits', statement.credits, 1n) + total('debits', statement.debits, -1n)
  const { seal } = statement
  // The number of the seal stands where others have that of an entry.
  if (seal)
    yield toRecord({ record: 'checkpoint', version: String(seal.n), description: textCell(seal.note) })
  yield balance('closing', statement.toVersion ?? statement.knownVersion, statement.closing)
}

function fieldsOf(entry: StatementEntry, currency: string): Partial<Record<CsvColumn, string>> {
  return {
    record: 'entry',
    version: String(entry.version),
    booked_at: entry.bookedAt.toISOString(),
    value_date: entry.valueDate,
    amount: formatAmount(entry.amount, currency),
    currency,
    balance: formatAmount(entry.balanceAfter, currency),
    transaction_id: entry.transactionId,
    type: entry.type,
    description: entry.description === null ? '' : textCell(entry.description),
    counterparty_account_id: entry.counterpartyAccountId ?? '',
    fee: String(entry.isFee),
  }
}

const toRecord = (fields: Partial<Record<CsvColumn, string>>): string =>
  `${csvColumns.map((column) => fields[column] ?? '').join(',')}\r\n`
