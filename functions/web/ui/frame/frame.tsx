import { useQuery } from '@tanstack/react-query'
import { lazy, Suspense, useEffect, useState, type ReactNode } from 'react'
import { Link, useLocation } from 'wouter'
import { useLive } from '../data/live.ts'
import { sessionQuery, type PageSession } from '../data/session.ts'
import { useOfflineSince } from '../parts/use-is-online.ts'
import { useTexts } from '../texts/define-texts.ts'
import { formatMoment } from '../texts/formats.ts'
import { useLanguage } from '../texts/language.ts'
import { Bell } from './bell.tsx'
import styles from './frame.module.css'
import { texts } from './frame.texts.ts'
import { barEntries, menuEntries } from './menu-entries.ts'
import { menuTexts } from './menu.texts.ts'
import { UserMenu } from './user-menu.tsx'

const CallsDrawer = lazy(() => import('./calls-drawer.tsx'))

/** What stands around every page: the menu, the bell, who is signed in, and the drawer of calls. */
export function Frame({ children }: { children: ReactNode }) {
  const said = useTexts(texts)
  const { data: session } = useQuery({ ...sessionQuery(), enabled: false })
  const [drawer, setDrawer] = useCallsDrawer(session)
  return (
    <>
      <a className={styles.skip} href="#content">
        {said.skip}
      </a>
      <header className={styles.header}>
        <Link href="/" className={styles.brand}>
          microbank
        </Link>
        {session && <Menu place="top" />}
        <div className={styles.tools}>
          <LiveDot />
          {session && <Bell userId={session.user_id} />}
          <UserMenu session={session ?? undefined} showCalls={() => setDrawer(true)} />
        </div>
      </header>
      <OfflineNote />
      <main id="content" className={styles.main} tabIndex={-1}>
        {children}
      </main>
      {drawer && (
        <Suspense>
          <CallsDrawer close={() => setDrawer(false)} />
        </Suspense>
      )}
      {session && <Menu place="bottom" />}
    </>
  )
}

function Menu({ place }: { place: 'top' | 'bottom' }) {
  const [said, names] = [useTexts(texts), useTexts(menuTexts)]
  const [location] = useLocation()
  const shown = place === 'bottom' ? barEntries : menuEntries
  return (
    <nav className={place === 'top' ? styles.menu : styles.bar} aria-label={said.menu}>
      {shown.map(({ path, menu }) => (
        <Link key={path} href={path} aria-current={location === path ? 'page' : undefined}>
          {names[menu]}
        </Link>
      ))}
    </nav>
  )
}

function LiveDot() {
  const said = useTexts(texts)
  const live = useLive()
  return (
    <span className={styles.live} data-live={live} role="status">
      {live && said.live[live]}
    </span>
  )
}

function OfflineNote() {
  const said = useTexts(texts)
  const language = useLanguage()
  const since = useOfflineSince()
  return (
    <div role="status">
      {since && <p className={styles.offline}>{said.offline(formatMoment(language, new Date(since)))}</p>}
    </div>
  )
}

const isLaptop = /^(localhost|127\.0\.0\.1|\[::1\])$/.test(location.hostname)

/** The drawer is for everybody on a laptop, and for operators elsewhere. Ctrl and the full stop open it. */
function useCallsDrawer(session: PageSession | null | undefined) {
  const [isOpen, setOpen] = useState(false)
  const isAllowed = isLaptop || session?.role === 'operator'
  useEffect(() => {
    const listen = (event: KeyboardEvent): void => {
      if (!(event.ctrlKey || event.metaKey) || event.key !== '.') return
      event.preventDefault()
      setOpen((was) => !was)
    }
    if (isAllowed) addEventListener('keydown', listen)
    return () => removeEventListener('keydown', listen)
  }, [isAllowed])
  return [isOpen && isAllowed, setOpen] as const
}
