import type { ComponentProps } from 'react'
import { Field } from './field.tsx'

/** A field for an amount of money, with the code of its currency. */
export function AmountField({
  currency,
  ...field
}: { name: string; label: string; currency: string } & Omit<ComponentProps<typeof Field>, 'after'>) {
  return <Field {...field} inputMode="decimal" autoComplete="off" after={<span>{currency}</span>} />
}
