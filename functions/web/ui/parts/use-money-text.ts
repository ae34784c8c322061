import { formatMoney } from '../money/money.ts'
import { localeOf } from '../texts/formats.ts'
import { useLanguage } from '../texts/language.ts'

/** Returns what writes an amount into a sentence, in the reader's language. */
export function useMoneyText(): (amount: string, currency: string) => string {
  const locale = localeOf(useLanguage())
  return (amount, currency) => formatMoney(amount, currency, { locale })
}
