import { useQuery } from '@tanstack/react-query'
import { useChangeMe, useMailConfirmation } from '../../data/me.ts'
import { userQuery, useSession } from '../../data/session.ts'
import { Button } from '../../parts/button.tsx'
import { Field } from '../../parts/field.tsx'
import { Form } from '../../parts/form.tsx'
import { Panel } from '../../parts/panel.tsx'
import { ProblemNote } from '../../parts/problem-note.tsx'
import { common } from '../../texts/common.texts.ts'
import { useTexts } from '../../texts/define-texts.ts'
import styles from './me.module.css'
import { texts } from './me.texts.ts'

/** The reader's name. */
export function Profile() {
  const [said, words] = [useTexts(texts), useTexts(common)]
  const user = useQuery(userQuery(useSession().user_id))
  const change = useChangeMe()
  return (
    <Panel title={said.you} query={user} starts="users">
      {({ name }) => (
        <div className={styles.form}>
          <Form
            name="profile"
            problem={change.error}
            onSubmit={(values) => change.mutate({ name: values.name ?? '' })}
          >
            <Field
              name="name"
              label={said.name}
              defaultValue={name}
              autoComplete="name"
              required
              dir="auto"
            />
            <Button type="submit" disabled={change.isPending}>
              {words.save}
            </Button>
            <p role="status" className={styles.done}>
              {change.isSuccess && said.saved}
            </p>
          </Form>
        </div>
      )}
    </Panel>
  )
}

/** The reader's address, whether it is confirmed, and how to change it: with the password, because whoever
 * has the address can get the account. */
export function Address() {
  const said = useTexts(texts)
  const user = useQuery(userQuery(useSession().user_id))
  const change = useChangeMe()
  return (
    <Panel title={said.address} query={user} starts="users">
      {({ email, email_confirmed_at: confirmedAt }) => (
        <>
          <p dir="ltr">{email}</p>
          {confirmedAt ? <p className={styles.note}>{said.confirmed}</p> : <Unconfirmed />}
          <div className={styles.form}>
            <Form
              // Emptied after each change.
              key={email}
              name="address"
              problem={change.error}
              onSubmit={({ email = '', current_password = '' }) => change.mutate({ email, current_password })}
            >
              <Field
                name="email"
                label={said.newEmail}
                type="email"
                autoComplete="email"
                required
                dir="ltr"
              />
              <Field
                name="current_password"
                label={said.currentPassword}
                type="password"
                autoComplete="current-password"
                required
              />
              <Button type="submit" disabled={change.isPending}>
                {said.changeEmail}
              </Button>
            </Form>
          </div>
          <p role="status" className={styles.done}>
            {change.isSuccess && said.emailChanged}
          </p>
        </>
      )}
    </Panel>
  )
}

function Unconfirmed() {
  const said = useTexts(texts)
  const mail = useMailConfirmation()
  return (
    <div className={styles.parts}>
      <p className={styles.note}>{said.notConfirmed}</p>
      <ProblemNote problem={mail.error} />
      <Button disabled={mail.isPending} onClick={() => mail.mutate()}>
        {said.mailAgain}
      </Button>
      <p role="status" className={styles.done}>
        {mail.isSuccess && said.mailed}
      </p>
    </div>
  )
}
