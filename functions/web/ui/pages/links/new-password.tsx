import { Link } from 'wouter'
import { useNewPassword } from '../../data/me.ts'
import { Button } from '../../parts/button.tsx'
import { Field } from '../../parts/field.tsx'
import { Form } from '../../parts/form.tsx'
import { Page } from '../../parts/page.tsx'
import { PlainPanel } from '../../parts/panel.tsx'
import { useTexts } from '../../texts/define-texts.ts'
import { useLinkToken } from './link-token.ts'
import { texts } from './links.texts.ts'

/** Where a mailed link leads to choose a password: `/new-password#token=...`. */
export default function NewPassword() {
  const token = useLinkToken()
  return <ChoosePassword key={token} token={token} />
}

function ChoosePassword({ token }: { token: string | null }) {
  const said = useTexts(texts)
  const choose = useNewPassword()
  return (
    <Page title={said.newPasswordTitle} width="narrow">
      <PlainPanel>
        {token === null && (
          <>
            <p>{said.noToken}</p>
            <Link href="/">{said.home}</Link>
          </>
        )}
        {token !== null && !choose.isSuccess && (
          <Form
            name="new-password"
            problem={choose.error}
            onSubmit={({ new_password = '' }) => choose.mutate({ token, new_password })}
          >
            <Field
              name="new_password"
              label={said.newPassword}
              hint={said.passwordHint}
              type="password"
              autoComplete="new-password"
              required
            />
            <Button type="submit" look="primary" disabled={choose.isPending}>
              {said.choose}
            </Button>
          </Form>
        )}
        <p role="status">{choose.isSuccess && said.chosen}</p>
        {choose.isSuccess && <Link href="/sign-in">{said.signIn}</Link>}
      </PlainPanel>
    </Page>
  )
}
