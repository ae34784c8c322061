import { Form as BaseForm } from '@base-ui/react/form'
import { useEffect, useRef, type ReactNode } from 'react'
import styles from './form.module.css'
import { ProblemNote } from './problem-note.tsx'
import { shownProblem, useFaultSentence } from './problem.ts'

/** A form. `onSubmit` gets the values by name once all required fields are filled. Of `problem`, what the last
 * answer refused, the faults of a field stand beside it and the rest above the form. The first takes the
 * focus. */
export function Form({
  onSubmit,
  problem,
  children,
}: {
  onSubmit: (values: Record<string, string>) => void
  problem?: unknown
  children: ReactNode
}) {
  const sentence = useFaultSentence()
  const errors = shownProblem(problem).errors.filter(({ path }) => path !== '')
  const byField = Object.fromEntries(errors.map(({ path, message }) => [fieldOf(path), sentence(message)]))
  const form = useRef<HTMLFormElement>(null)
  useEffect(() => {
    const [first] = shownProblem(problem).errors
    if (first)
      form.current?.querySelector<HTMLElement>(`[name="${CSS.escape(fieldOf(first.path))}"]`)?.focus()
  }, [problem])
  return (
    <BaseForm
      ref={form}
      className={styles.form}
      errors={byField}
      onFormSubmit={(values) => onSubmit(values as Record<string, string>)}
    >
      {errors.length === 0 && <ProblemNote problem={problem} />}
      {children}
    </BaseForm>
  )
}

/** Returns the field that a JSON pointer leads to: '/amount' is `amount`, '/schedule/day' is `schedule.day`. */
const fieldOf = (path: string): string => path.slice(1).replaceAll('/', '.')
