import { useMutation, useQuery } from '@tanstack/react-query'
import { useEffect } from 'react'
import { Link, useLocation, useSearch } from 'wouter'
import { pathAfter } from '../../data/path-after.ts'
import { demoQuery, endingQuery, useSignIn } from '../../data/session.ts'
import { Button } from '../../parts/button.tsx'
import { Field } from '../../parts/field.tsx'
import { Form } from '../../parts/form.tsx'
import { isLaptop } from '../../parts/is-laptop.ts'
import { Page } from '../../parts/page.tsx'
import { PlainPanel } from '../../parts/panel.tsx'
import { ProblemNote } from '../../parts/problem-note.tsx'
import { useTexts } from '../../texts/define-texts.ts'
import { texts } from './sign-in.texts.ts'

/** Signs in with a password, or with the code of a printed link: `/sign-in#code=...`. */
export default function SignIn() {
  const said = useTexts(texts)
  const signIn = useMutation({ mutationFn: useSignIn() })
  const [, navigate] = useLocation()
  const next = pathAfter(useSearch())
  const { data: ending } = useQuery(endingQuery())
  const { mutate } = signIn
  useEffect(() => {
    const code = new URLSearchParams(location.hash.slice(1)).get('code')
    if (!code) return
    // A code works once: neither a reload nor the history needs it.
    history.replaceState(null, '', location.pathname + location.search)
    // It is the operator of a bank that has just started: the Engine room shows what that is.
    mutate({ code }, { onSuccess: () => navigate(next ?? '/engine', { replace: true }) })
  }, [mutate, navigate, next])
  return (
    <Page title={said.signIn} width="narrow">
      <div role="status">{ending && <p>{said.ended[ending]}</p>}</div>
      <PlainPanel>
        <Form
          name="sign-in"
          problem={signIn.error}
          onSubmit={({ email = '', password = '' }) =>
            mutate({ email, password }, { onSuccess: () => navigate(next ?? '/', { replace: true }) })
          }
        >
          <Field name="email" label={said.email} type="email" autoComplete="username" required dir="ltr" />
          <Field
            name="password"
            label={said.password}
            type="password"
            autoComplete="current-password"
            required
          />
          <Button type="submit" look="primary" disabled={signIn.isPending}>
            {said.signIn}
          </Button>
        </Form>
        <p className="aside">
          {said.noAccount} <Link href="/sign-up">{said.signUp}</Link>
        </p>
      </PlainPanel>
      {isLaptop && <DemoCustomer goOn={() => navigate(next ?? '/', { replace: true })} />}
    </Page>
  )
}

/** Signs in as the demo customer with one click, where there is one. */
function DemoCustomer({ goOn }: { goOn: () => void }) {
  const said = useTexts(texts)
  const { data: isThere = false } = useQuery(demoQuery())
  const signIn = useMutation({ mutationFn: useSignIn() })
  if (!isThere) return null
  return (
    <PlainPanel>
      <p>{said.demoHint}</p>
      <Button disabled={signIn.isPending} onClick={() => signIn.mutate('demo', { onSuccess: goOn })}>
        {said.demo}
      </Button>
      <div role="status">{signIn.isPending && <p className="aside">{said.demoMade}</p>}</div>
      <ProblemNote problem={signIn.error} />
    </PlainPanel>
  )
}
