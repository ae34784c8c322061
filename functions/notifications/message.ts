import type { TransactionReversed } from '../../eventing/contracts/transaction.reversed.ts'
import type { TransactionCompleted } from '../../eventing/contracts/transaction.completed.ts'

const NAMES = { deposit: 'Deposit', withdrawal: 'Withdrawal', transfer: 'Transfer' } as const

/** Returns the text for a completed transaction: `Deposit of $200.00 completed. New balance: $900.00`; with a
 * fee `Deposit of $200.00 completed. Fee: $1.00. New balance: $899.00`. */
export function completedMessage(transaction: TransactionCompleted): string {
  const { transaction_type: type, amount, fee, new_balance: balance, currency } = transaction
  const money = (value: string): string => formatMoney(value, currency)
  const cost = fee === null ? '' : ` Fee: ${money(fee)}.`
  return `${NAMES[type]} of ${money(amount)} completed.${cost} New balance: ${money(balance)}`
}

/** Returns the text for a reversal: `Transaction of $200.00 reversed. New balance: $700.00`. */
export const reversedMessage = ({ amount, new_balance: balance, currency }: TransactionReversed): string =>
  `Transaction of ${formatMoney(amount, currency)} reversed. New balance: ${formatMoney(balance, currency)}`

// Making a format takes fifty times as long as using it.
const formats = new Map<string, Intl.NumberFormat>()

/** Formats a decimal string for people: ('1234.50', 'USD') becomes $1,234.50. Exact for any number of
 * digits. */
export function formatMoney(amount: string, currency: string): string {
  const decimals = amount.split('.')[1]?.length ?? 0
  const key = `${currency} ${decimals}`
  const format = formats.get(key) ?? formatOf(currency, decimals)
  formats.set(key, format)
  // Intl formats the digits of a string as they are; a number would be rounded to 53 bits (ECMA-402).
  return format.format(amount as Intl.StringNumericLiteral)
}

const formatOf = (currency: string, decimals: number): Intl.NumberFormat =>
  new Intl.NumberFormat('en-US', {
    style: 'currency',
    currency,
    // The bank's own number of decimals; the language data may say otherwise.
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  })
