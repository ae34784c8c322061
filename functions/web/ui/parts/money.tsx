import { formatMoney } from '../money/money.ts'
import { localeOf } from '../texts/formats.ts'
import { useLanguage } from '../texts/language.ts'
import styles from './money.module.css'

/** An amount, given as a decimal string. `signed` is for entries: what comes in has a plus and its colour. */
export function Money({
  amount,
  currency,
  signed = false,
  as = 'symbol',
}: {
  amount: string
  currency: string
  signed?: boolean
  /** `code` where currencies stand beside each other. */
  as?: 'symbol' | 'code'
}) {
  const language = useLanguage()
  const comesIn = signed && !amount.startsWith('-') && /[1-9]/.test(amount)
  return (
    <span className={styles.money} data-in={comesIn || undefined}>
      {formatMoney(amount, currency, { locale: localeOf(language), signed, unit: as })}
    </span>
  )
}
