import { Field as BaseField } from '@base-ui/react/field'
import type { ComponentProps, ReactNode } from 'react'
import { useEnteredField } from './entered.ts'
import styles from './form.module.css'

/** A labelled line of text. Whatever `<input>` takes, it takes. Its errors come from the form. */
export function Field({
  name,
  label,
  hint,
  after,
  ...input
}: {
  name: string
  label: string
  hint?: ReactNode
  /** What stands behind the input, such as a currency. */
  after?: ReactNode
} & Omit<ComponentProps<'input'>, 'name' | 'className'>) {
  const isKept = input.value === undefined && input.type !== 'password'
  const { found, onChange } = useEnteredField(name, isKept, input.onChange)
  const control = (
    <BaseField.Control
      {...input}
      {...(found !== undefined && { defaultValue: found })}
      onChange={onChange}
      className={styles.control}
    />
  )
  return (
    <BaseField.Root name={name} className={styles.field}>
      <BaseField.Label className={styles.label}>{label}</BaseField.Label>
      {hint !== undefined && <BaseField.Description className={styles.hint}>{hint}</BaseField.Description>}
      {after === undefined ? (
        control
      ) : (
        <div className={styles.amount}>
          {control}
          {after}
        </div>
      )}
      <BaseField.Error className={styles.error} />
    </BaseField.Root>
  )
}

/** A labelled text of several lines. */
export function LongField({
  name,
  label,
  hint,
  ...area
}: { name: string; label: string; hint?: ReactNode } & Omit<
  ComponentProps<'textarea'>,
  'name' | 'className'
>) {
  const { found, onChange } = useEnteredField(name, area.value === undefined, area.onChange)
  return (
    <BaseField.Root name={name} className={styles.field}>
      <BaseField.Label className={styles.label}>{label}</BaseField.Label>
      {hint !== undefined && <BaseField.Description className={styles.hint}>{hint}</BaseField.Description>}
      <BaseField.Control
        className={styles.control}
        render={
          <textarea
            rows={4}
            {...area}
            {...(found !== undefined && { defaultValue: found })}
            onChange={onChange}
          />
        }
      />
      <BaseField.Error className={styles.error} />
    </BaseField.Root>
  )
}

/** A labelled choice of one among a few. */
export function Choice({
  name,
  label,
  hint,
  options,
  ...select
}: {
  name: string
  label: string
  hint?: ReactNode
  options: readonly { value: string; text: string }[]
} & Omit<ComponentProps<'select'>, 'name' | 'className'>) {
  const { found, onChange } = useEnteredField(name, select.value === undefined, select.onChange)
  return (
    <BaseField.Root name={name} className={styles.field}>
      <BaseField.Label className={styles.label}>{label}</BaseField.Label>
      {hint !== undefined && <BaseField.Description className={styles.hint}>{hint}</BaseField.Description>}
      <BaseField.Control
        className={styles.control}
        render={
          <select {...select} {...(found !== undefined && { defaultValue: found })} onChange={onChange}>
            {options.map(({ value, text }) => (
              <option key={value} value={value}>
                {text}
              </option>
            ))}
          </select>
        }
      />
      <BaseField.Error className={styles.error} />
    </BaseField.Root>
  )
}
