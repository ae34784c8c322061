import { useQuery } from '@tanstack/react-query'
import { Component, lazy, Suspense, type ComponentType, type ReactNode } from 'react'
import { Redirect, Route, Switch, useLocation, useSearch } from 'wouter'
import { sessionQuery } from '../data/session.ts'
import { Button, ButtonLink } from '../parts/button.tsx'
import { Page } from '../parts/page.tsx'
import { PlainPanel } from '../parts/panel.tsx'
import { ProblemNote } from '../parts/problem-note.tsx'
import { useIsOnline } from '../parts/use-is-online.ts'
import { common } from '../texts/common.texts.ts'
import { routes, type PageRoute } from '../routes.ts'
import { useTexts } from '../texts/define-texts.ts'
import { texts } from './frame.texts.ts'
import { KeepsEntered } from './keeps-entered.tsx'

const pages = routes.map((route) => ({ ...route, Content: lazy(route.load) }))

/** The page of the address, for who may see it. */
export function Pages() {
  const [location] = useLocation()
  return (
    <Switch>
      {pages.map(({ path, who, Content }) => (
        <Route key={path} path={path}>
          <PageFailure key={location}>
            <Guarded who={who} Content={Content} />
          </PageFailure>
        </Route>
      ))}
      <Route>
        <NotFound />
      </Route>
    </Switch>
  )
}

function Guarded({ who, Content }: Pick<PageRoute, 'who'> & { Content: ComponentType }) {
  const { data: session, error, refetch } = useQuery({ ...sessionQuery(), enabled: who !== 'anyone' })
  const [said, words] = [useTexts(texts), useTexts(common)]
  const [location] = useLocation()
  const search = useSearch()
  const content = (
    <Suspense>
      <Content />
    </Suspense>
  )
  if (who === 'anyone') return content
  if (session === undefined) {
    if (!error) return null
    const again = <Button onClick={() => void refetch()}>{words.tryAgain}</Button>
    return (
      <Page title={said.pageFailed} width="narrow">
        <ProblemNote problem={error} action={again} />
      </Page>
    )
  }
  const here = location + (search && `?${search}`)
  if (session === null)
    return <Redirect to={here === '/' ? '/sign-in' : `/sign-in?next=${encodeURIComponent(here)}`} replace />
  if (who === 'operator' && session.role !== 'operator') return <NotFound />
  return (
    <KeepsEntered key={session.user_id} owner={session.user_id} page={here}>
      {content}
    </KeepsEntered>
  )
}

function NotFound() {
  const said = useTexts(texts)
  // With the session, the menu is there to go on.
  useQuery(sessionQuery())
  return (
    <Page title={said.notFound} width="narrow">
      <PlainPanel>
        <p>{said.notFoundHint}</p>
        <ButtonLink href="/">{said.home}</ButtonLink>
      </PlainPanel>
    </Page>
  )
}

/** Shows that a page failed, and nothing of it. */
class PageFailure extends Component<{ children: ReactNode }, { hasFailed: boolean }> {
  override state = { hasFailed: false }

  static getDerivedStateFromError() {
    return { hasFailed: true }
  }

  override render(): ReactNode {
    return this.state.hasFailed ? <FailedPage /> : this.props.children
  }
}

function FailedPage() {
  const said = useTexts(texts)
  const isOnline = useIsOnline()
  return (
    <Page title={said.pageFailed} width="narrow">
      <PlainPanel>
        <Button disabled={!isOnline} onClick={() => location.reload()}>
          {said.reload}
        </Button>
      </PlainPanel>
    </Page>
  )
}
