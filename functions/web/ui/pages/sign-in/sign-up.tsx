import { useMutation } from '@tanstack/react-query'
import { Link, useLocation } from 'wouter'
import { useSignUp } from '../../data/session.ts'
import { Button } from '../../parts/button.tsx'
import { Field } from '../../parts/field.tsx'
import { Form } from '../../parts/form.tsx'
import { Page } from '../../parts/page.tsx'
import { PlainPanel } from '../../parts/panel.tsx'
import { useTexts } from '../../texts/define-texts.ts'
import { texts } from './sign-up.texts.ts'

/** Makes somebody a customer of the bank, and signs them in. The server alone has the rules for passwords. */
export default function SignUp() {
  const said = useTexts(texts)
  const signUp = useMutation({ mutationFn: useSignUp() })
  const [, navigate] = useLocation()
  return (
    <Page title={said.signUp} width="narrow">
      <PlainPanel>
        <Form
          name="sign-up"
          problem={signUp.error}
          onSubmit={({ name = '', email = '', password = '' }) =>
            signUp.mutate({ name, email, password }, { onSuccess: () => navigate('/') })
          }
        >
          <Field name="name" label={said.name} autoComplete="name" required dir="auto" />
          <Field name="email" label={said.email} type="email" autoComplete="username" required dir="ltr" />
          <Field
            name="password"
            label={said.password}
            hint={said.passwordHint}
            type="password"
            autoComplete="new-password"
            required
          />
          <Button type="submit" look="primary" disabled={signUp.isPending}>
            {said.signUp}
          </Button>
        </Form>
        <p className="aside">
          {said.haveAccount} <Link href="/sign-in">{said.signIn}</Link>
        </p>
      </PlainPanel>
    </Page>
  )
}
