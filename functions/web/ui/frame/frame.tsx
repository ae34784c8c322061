import { useQuery } from '@tanstack/react-query'
import { lazy, Suspense, useState, type ReactNode } from 'react'
import { Link, useLocation } from 'wouter'
import { useLive } from '../data/live.ts'
import { sessionQuery, type PageSession } from '../data/session.ts'
import { isLaptop } from '../parts/is-laptop.ts'
import { useOfflineSince } from '../parts/use-is-online.ts'
import { useTexts } from '../texts/define-texts.ts'
import { formatMoment } from '../texts/formats.ts'
import { useLanguage } from '../texts/language.ts'
import { areaOf, areas, entryOf, type Area } from './areas.ts'
import { Bell } from './bell.tsx'
import styles from './frame.module.css'
import { texts } from './frame.texts.ts'
import { IdleNote } from './idle-note.tsx'
import { menuTexts } from './menu.texts.ts'
import { SearchTool } from './search-tool.tsx'
import { StoppedNote } from './stopped-note.tsx'
import { useShortcut } from './use-shortcut.ts'
import { UserMenu } from './user-menu.tsx'

/** How many entries the bar at the bottom of small windows has. The user's menu has the rest there. */
const BAR = 4

const CallsDrawer = lazy(() => import('./calls-drawer.tsx'))

/** What stands around every page: the menu, the bell, who is signed in, and the drawer of calls. */
export function Frame({ children }: { children: ReactNode }) {
  const said = useTexts(texts)
  const { data: session } = useQuery({ ...sessionQuery(), enabled: false })
  const [drawer, setDrawer] = useCallsDrawer(session)
  const [location] = useLocation()
  const area = areaOf(location, session?.role)
  return (
    <>
      <a className={styles.skip} href="#content">
        {said.skip}
      </a>
      <header className={styles.header}>
        <Link href="/" className={styles.brand}>
          microbank
        </Link>
        {session?.role === 'operator' && areas.length > 1 && <AreaSwitch current={area} />}
        {session && <Menu place="top" entries={area.entries} />}
        <div className={styles.tools}>
          <LiveDot />
          {session && <SearchTool role={session.role} />}
          {session && <Bell userId={session.user_id} />}
          <UserMenu
            session={session ?? undefined}
            others={area.entries.slice(BAR)}
            showCalls={() => setDrawer(true)}
          />
        </div>
      </header>
      <OfflineNote />
      {session?.role === 'operator' && <StoppedNote key={location} />}
      {session?.role === 'operator' && <IdleNote key={session.user_id} />}
      <main id="content" className={styles.main} tabIndex={-1}>
        {children}
      </main>
      {drawer && (
        <Suspense>
          <CallsDrawer close={() => setDrawer(false)} />
        </Suspense>
      )}
      {session && <Menu place="bottom" entries={area.entries.slice(0, BAR)} />}
    </>
  )
}

/** Leads from one area to another: to the first page of its menu. */
function AreaSwitch({ current }: { current: Area }) {
  const said = useTexts(texts)
  return (
    <nav className={styles.areas} aria-label={said.area}>
      {areas.map((area) => (
        <Link
          key={area.name}
          href={area.entries[0]!.path}
          aria-current={area === current ? 'true' : undefined}
        >
          {said.areas[area.name]}
        </Link>
      ))}
    </nav>
  )
}

function Menu({ place, entries }: { place: 'top' | 'bottom'; entries: Area['entries'] }) {
  const [said, names] = [useTexts(texts), useTexts(menuTexts)]
  const [location] = useLocation()
  const current = entryOf(entries, location)?.path
  // On a page below an entry, it leads to another one.
  const isCurrent = (path: string) => (path === location ? 'page' : path === current ? 'true' : undefined)
  return (
    <nav className={place === 'top' ? styles.menu : styles.bar} aria-label={said.menu}>
      {entries.map(({ path, menu }) => (
        <Link key={path} href={path} aria-current={isCurrent(path)}>
          {names[menu]}
        </Link>
      ))}
    </nav>
  )
}

function LiveDot() {
  const said = useTexts(texts)
  const isOnline = useOfflineSince() === undefined
  const told = useLive()
  // The stream breaks some time after the network.
  const live = told && !isOnline ? 'away' : told
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

/** The drawer is for everybody on a laptop, and for operators elsewhere. Ctrl and the full stop open it. */
function useCallsDrawer(session: PageSession | null | undefined) {
  const [isOpen, setOpen] = useState(false)
  const isAllowed = isLaptop || session?.role === 'operator'
  useShortcut('.', isAllowed, () => setOpen((was) => !was))
  return [isOpen && isAllowed, setOpen] as const
}
