import type { ReactNode } from 'react'
import { Button } from '../../parts/button.tsx'
import { Field } from '../../parts/field.tsx'
import { Form } from '../../parts/form.tsx'
import { common } from '../../texts/common.texts.ts'
import { useTexts } from '../../texts/define-texts.ts'
import styles from './office.module.css'
import { texts } from './office.texts.ts'

/** What Ask needs of a mutation. */
interface AskedAct {
  error: unknown
  isPending: boolean
}

/** Says what an act will do, asks for what it needs, and does it. Without a field, the focus goes to
 * the button.
 * `needsReason`: it isn't done without one. `canDo`: whether the bank would do it. */
export function Ask({
  name,
  effects,
  word,
  look = 'danger',
  act,
  problem,
  onDo,
  close,
  needsReason = false,
  reasonHint,
  canDo = true,
  children,
}: {
  /** Of the form, unique on its page. */
  name: string
  /** Sentences. */
  effects: readonly string[]
  /** What the button says: a verb, and what it is about. */
  word: string
  look?: 'primary' | 'danger'
  act: AskedAct
  /** A fault that the page finds by itself. */
  problem?: unknown
  onDo: (values: Record<string, string>) => void
  close: () => void
  needsReason?: boolean
  /** Who reads the reason, if the customer doesn't. */
  reasonHint?: string
  canDo?: boolean
  children?: ReactNode
}) {
  const [said, words] = [useTexts(texts), useTexts(common)]
  return (
    <div className={styles.form}>
      <Form name={name} problem={problem ?? act.error} onSubmit={onDo}>
        <div className={styles.effects} role="status">
          {effects.map((sentence) => (
            <p key={sentence}>{sentence}</p>
          ))}
        </div>
        {canDo && children}
        {canDo && needsReason && (
          <Field
            name="reason"
            label={said.reason}
            hint={reasonHint ?? said.reasonHint}
            required
            maxLength={500}
            dir="auto"
            autoComplete="off"
            autoFocus={!children}
          />
        )}
        <div className={styles.buttons}>
          {canDo && (
            <Button type="submit" look={look} disabled={act.isPending} autoFocus={!needsReason && !children}>
              {word}
            </Button>
          )}
          <Button onClick={close}>{words.cancel}</Button>
        </div>
      </Form>
    </div>
  )
}
