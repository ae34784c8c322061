import type { TransactionCompleted } from '../../eventing/contracts/transaction.completed.ts'

const NAMES = { deposit: 'Deposit', withdrawal: 'Withdrawal', transfer: 'Transfer' } as const

/** The words of a completed transaction: `Deposit of $200.00 completed. New balance: $900.00`. */
export function completedMessage(transaction: TransactionCompleted): string {
  const { transaction_type: type, amount, new_balance: balance, currency } = transaction
  return `${NAMES[type]} of ${formatMoney(amount, currency)} completed. New balance: ${formatMoney(balance, currency)}`
}

// Making one takes fifty times as long as using it.
const formats = new Map<string, Intl.NumberFormat>()

/** A decimal string as a person reads it: ('1234.50', 'USD') is $1,234.50. Exact for any number of digits. */
export function formatMoney(amount: string, currency: string): string {
  const decimals = amount.split('.')[1]?.length ?? 0
  const key = `${currency} ${decimals}`
  const format = formats.get(key) ?? formatOf(currency, decimals)
  formats.set(key, format)
  // Intl takes the digits of a string as they are; as a number they would be rounded to 53 bits (ECMA-402).
  return format.format(amount as Intl.StringNumericLiteral)
}

const formatOf = (currency: string, decimals: number): Intl.NumberFormat =>
  new Intl.NumberFormat('en-US', {
    style: 'currency',
    currency,
    // The bank's own number of decimals, which may differ from that of the language data.
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  })
