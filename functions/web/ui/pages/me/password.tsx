import { useState } from 'react'
import { useChangePassword } from '../../data/me.ts'
import { Button } from '../../parts/button.tsx'
import { Field } from '../../parts/field.tsx'
import { Form } from '../../parts/form.tsx'
import { PlainPanel } from '../../parts/panel.tsx'
import { useTexts } from '../../texts/define-texts.ts'
import styles from './me.module.css'
import { texts } from './me.texts.ts'

/** Another password, with the current one. */
export function Password() {
  const said = useTexts(texts)
  const change = useChangePassword()
  const [changes, setChanges] = useState(0)
  return (
    <PlainPanel title={said.password}>
      <div className={styles.form}>
        <Form
          // Emptied after each change.
          key={changes}
          name="password"
          problem={change.error}
          onSubmit={({ current_password = '', new_password = '' }) =>
            change.mutate({ current_password, new_password }, { onSuccess: () => setChanges(changes + 1) })
          }
        >
          <Field
            name="current_password"
            label={said.currentPassword}
            type="password"
            autoComplete="current-password"
            required
          />
          <Field
            name="new_password"
            label={said.newPassword}
            hint={said.passwordHint}
            type="password"
            autoComplete="new-password"
            required
          />
          <Button type="submit" disabled={change.isPending}>
            {said.changePassword}
          </Button>
        </Form>
      </div>
      <p role="status" className={styles.done}>
        {change.isSuccess && said.passwordChanged}
      </p>
    </PlainPanel>
  )
}
