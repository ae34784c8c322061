import { orNull, uuidSchema } from '../../host/schema.ts'
import { accountTypes } from '../accounts/account.ts'
import { formatAmount } from '../../host/values/money.ts'
import {
  statementBases,
  type AccountStatement,
  type EntrySum,
  type StatementEntry,
  type WriteStatement,
} from './account-statement.ts'

const moment = { type: 'string', format: 'date-time' } as const
const amount = { type: 'string' } as const

const sumSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['count', 'sum'],
  properties: { count: { type: 'integer' }, sum: amount },
} as const

const entryProperties = {
  version: { type: 'integer' },
  booked_at: moment,
  value_date: { type: 'string' },
  amount,
  balance_after: amount,
  transaction_id: uuidSchema,
  type: { type: 'string' },
  description: orNull({ type: 'string' }),
  counterparty_account_id: orNull(uuidSchema),
  fee: { type: 'boolean' },
} as const

const statementProperties = {
  account_id: uuidSchema,
  account_type: { enum: accountTypes },
  currency: { type: 'string' },
  basis: { enum: statementBases },
  from: orNull(moment),
  to: orNull(moment),
  from_version: orNull({ type: 'integer' }),
  to_version: orNull({ type: 'integer' }),
  known_version: orNull({ type: 'integer' }),
  opening_balance: amount,
  closing_balance: amount,
  credits: sumSchema,
  debits: sumSchema,
  seal: orNull({ type: 'integer' }),
  checkpoint: orNull({ type: 'string' }),
  entries: {
    type: 'array',
    items: {
      type: 'object',
      additionalProperties: false,
      required: Object.keys(entryProperties),
      properties: entryProperties,
    },
  },
} as const

/** Schema of a statement as JSON. */
export const statementSchema = {
  title: 'Statement',
  type: 'object',
  additionalProperties: false,
  required: Object.keys(statementProperties),
  properties: statementProperties,
} as const

/** Writes a statement as JSON, each entry in a line. */
export const writeJson: WriteStatement = async function* (statement, pages) {
  const { currency } = statement.account
  // Without the brace that ends it.
  yield `${JSON.stringify(headOf(statement)).slice(0, -1)},"entries":[`
  let separator = '\n'
  for await (const page of pages) {
    let text = ''
    for (const entry of page) {
      text += separator + JSON.stringify(toItem(entry, currency))
      separator = ',\n'
    }
    yield text
  }
  yield '\n]}\n'
}

function headOf(statement: AccountStatement) {
  const { account, basis, from, to, fromVersion, toVersion, knownVersion, seal } = statement
  const format = (minorUnits: bigint): string => formatAmount(minorUnits, account.currency)
  const total = ({ count, sum }: EntrySum) => ({ count, sum: format(sum) })
  return {
    account_id: account.id,
    account_type: account.account_type,
    currency: account.currency,
    basis,
    from: from?.toISOString() ?? null,
    to: to?.toISOString() ?? null,
    from_version: numberOrNull(fromVersion),
    to_version: numberOrNull(toVersion),
    known_version: numberOrNull(knownVersion),
    opening_balance: format(statement.opening),
    closing_balance: format(statement.closing),
    credits: total(statement.credits),
    debits: total(statement.debits),
    seal: numberOrNull(seal?.n ?? null),
    checkpoint: seal?.note ?? null,
  }
}

function toItem(entry: StatementEntry, currency: string) {
  return {
    version: Number(entry.version),
    booked_at: entry.bookedAt.toISOString(),
    value_date: entry.valueDate,
    amount: formatAmount(entry.amount, currency),
    balance_after: formatAmount(entry.balanceAfter, currency),
    transaction_id: entry.transactionId,
    type: entry.type,
    description: entry.description,
    counterparty_account_id: entry.counterpartyAccountId,
    fee: entry.isFee,
  }
}

const numberOrNull = (version: bigint | null): number | null => (version === null ? null : Number(version))
