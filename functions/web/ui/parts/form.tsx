import { Form as BaseForm } from '@base-ui/react/form'
import { useEffect, type ReactNode } from 'react'
import { FormNameContext } from './entered.ts'
import styles from './form.module.css'
import { ProblemNote } from './problem-note.tsx'
import { shownProblem, useFaultSentence } from './problem.ts'
import { useFocusReturn } from './use-focus-return.ts'

/** A form. Its name is unique on its page: if the session ends, what was entered is kept under it. `onSubmit`
 * gets the values by name once all required fields are filled. Of `problem`, what the last answer refused, the
 * faults of a field stand beside it and the rest above the form. The first fault takes the focus, or else what
 * is said above: once for each `problem`, so it must be the same object for as long as it is shown. */
export function Form({
  name,
  onSubmit,
  problem,
  children,
}: {
  name: string
  onSubmit: (values: Record<string, string>) => void
  problem?: unknown
  children: ReactNode
}) {
  const sentence = useFaultSentence()
  const errors = shownProblem(problem).errors.filter(({ path }) => path !== '')
  const byField = Object.fromEntries(errors.map(({ path, message }) => [fieldOf(path), sentence(message)]))
  const form = useFocusReturn<HTMLFormElement>()
  useEffect(() => {
    if (problem === undefined || problem === null) return
    const [first] = shownProblem(problem).errors
    const place = first ? `[name="${CSS.escape(fieldOf(first.path))}"]` : '[role="alert"]'
    form.current?.querySelector<HTMLElement>(place)?.focus()
  }, [problem, form])
  return (
    <BaseForm
      ref={form}
      name={name}
      className={styles.form}
      errors={byField}
      onFormSubmit={(values) => onSubmit(values as Record<string, string>)}
    >
      {errors.length === 0 && <ProblemNote problem={problem} />}
      <FormNameContext value={name}>{children}</FormNameContext>
    </BaseForm>
  )
}

/** Returns the field that a JSON pointer leads to: '/amount' is `amount`, '/schedule/day' is `schedule.day`. */
const fieldOf = (path: string): string => path.slice(1).replaceAll('/', '.')
