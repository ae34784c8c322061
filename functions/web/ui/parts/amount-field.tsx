import { useContext, type ComponentProps } from 'react'
import { formatMoney } from '../money/money.ts'
import { readTypedAmount } from '../money/typed-amount.ts'
import { useTexts } from '../texts/define-texts.ts'
import { localeOf } from '../texts/formats.ts'
import { useLanguage } from '../texts/language.ts'
import { texts } from './amount-field.texts.ts'
import { FormNameContext, useEntered } from './entered.ts'
import { Field } from './field.tsx'
import styles from './form.module.css'
import { useMoneyText } from './use-money-text.ts'

/** A field for an amount of money, with the code of its currency. It says what it reads, so that nobody takes
 * 1,234 for 1.234. `defaultAmount` is a decimal string, which the field writes in the reader's language: in
 * German, 1.234 is more than a thousand. */
export function AmountField({
  currency,
  defaultAmount,
  takesZero = false,
  onChange,
  ...field
}: {
  name: string
  label: string
  currency: string
  defaultAmount?: string | undefined
  takesZero?: boolean
} & Omit<ComponentProps<typeof Field>, 'after' | 'defaultValue'>) {
  const said = useTexts(texts)
  const language = useLanguage()
  const moneyText = useMoneyText()
  const locale = localeOf(language)
  const [own, setOwn] = useEntered(`${useContext(FormNameContext)}/${field.name}`, () =>
    defaultAmount === undefined ? '' : formatMoney(defaultAmount, currency, { locale, unit: 'none' }),
  )
  const typed = String(field.value ?? own)
  const read = readTypedAmount(typed, currency, locale, { takesZero })
  return (
    <div>
      <Field
        {...field}
        value={typed}
        inputMode="decimal"
        autoComplete="off"
        after={<span>{currency}</span>}
        onChange={(event) => {
          if (field.value === undefined) setOwn(event.currentTarget.value)
          onChange?.(event)
        }}
      />
      <p className={styles.read} role="status">
        {'amount' in read && said.read(moneyText(read.amount, currency))}
      </p>
    </div>
  )
}

/** Returns what reads a typed amount: a decimal string, or a sentence that says what is wrong. */
export function useReadAmount(): (
  text: string,
  currency: string,
  how?: { takesZero?: boolean },
) => { amount: string } | { message: string } {
  const said = useTexts(texts)
  const language = useLanguage()
  return (text, currency, how) => {
    const read = readTypedAmount(text, currency, localeOf(language), how)
    return 'fault' in read ? { message: said.faults[read.fault] } : read
  }
}
