import { useState, type ComponentProps } from 'react'
import { readTypedAmount } from '../money/typed-amount.ts'
import { useTexts } from '../texts/define-texts.ts'
import { localeOf } from '../texts/formats.ts'
import { useLanguage } from '../texts/language.ts'
import { texts } from './amount-field.texts.ts'
import { Field } from './field.tsx'
import styles from './form.module.css'
import { useMoneyText } from './use-money-text.ts'

/** A field for an amount of money, with the code of its currency. It says what it reads, so that nobody takes
 * 1,234 for 1.234. */
export function AmountField({
  currency,
  onChange,
  ...field
}: { name: string; label: string; currency: string } & Omit<ComponentProps<typeof Field>, 'after'>) {
  const said = useTexts(texts)
  const language = useLanguage()
  const moneyText = useMoneyText()
  const [typed, setTyped] = useState('')
  const read = readTypedAmount(String(field.value ?? typed), currency, localeOf(language))
  return (
    <div>
      <Field
        {...field}
        inputMode="decimal"
        autoComplete="off"
        after={<span>{currency}</span>}
        onChange={(event) => {
          setTyped(event.currentTarget.value)
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
) => { amount: string } | { message: string } {
  const said = useTexts(texts)
  const language = useLanguage()
  return (text, currency) => {
    const read = readTypedAmount(text, currency, localeOf(language))
    return 'fault' in read ? { message: said.faults[read.fault] } : read
  }
}
