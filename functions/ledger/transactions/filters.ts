import { readMoment, invalidQuery } from '../values/moment.ts'
import { amountOrZeroSchema, checkAmount } from '../../host/values/money.ts'
import type { TransactionRow, TransactionStatus } from './transaction.ts'
import type { ListFilters } from './transaction-lists.ts'

const [amountText] = amountOrZeroSchema.anyOf

/** Query parameters for the amount. Both bounds are inclusive. */
export const amountQuery = {
  currency: { type: 'string', pattern: '^[A-Z]{3}$' },
  amount_min: amountText,
  amount_max: amountText,
} as const

interface FilterQuery {
  type?: TransactionRow['type'] | undefined
  status?: TransactionStatus | undefined
  from?: string | undefined
  to?: string | undefined
  currency?: string | undefined
  amount_min?: string | undefined
  amount_max?: string | undefined
}

/** Reads the filters of a list of transactions. Amounts without a currency are in `currencyDefault`, and find
 * only transactions in that. Throws a ProblemError (400) for a moment or an amount that is none, for a
 * currency that does not exist, and for an `amount_max` below `amount_min`. */
export function readFilters(query: FilterQuery, currencyDefault: string): ListFilters {
  const { amount_min: min, amount_max: max } = query
  const isByAmount = min !== undefined || max !== undefined
  const currency = query.currency ?? (isByAmount ? currencyDefault : undefined)
  if (currency !== undefined) readAmount('0', currency, '/currency')
  const amountMin = min === undefined ? undefined : readAmount(min, currency!, '/amount_min')
  const amountMax = max === undefined ? undefined : readAmount(max, currency!, '/amount_max')
  if (amountMin !== undefined && amountMax !== undefined && amountMax < amountMin)
    throw invalidQuery('/amount_max', 'must not be less than amount_min')
  return {
    type: query.type,
    status: query.status,
    from: query.from === undefined ? undefined : readMoment(query.from, '/from'),
    to: query.to === undefined ? undefined : readMoment(query.to, '/to'),
    currency,
    amountMin,
    amountMax,
  }
}

function readAmount(amount: string, currency: string, path: string): bigint {
  const checked = checkAmount(amount, currency, path, { zero: true })
  if ('minorUnits' in checked) return checked.minorUnits
  throw invalidQuery(checked.path, checked.message)
}
