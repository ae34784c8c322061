import { useQuery } from '@tanstack/react-query'
import { Link, useLocation } from 'wouter'
import { userQuery, useSignOut, type PageSession } from '../data/session.ts'
import { Button } from '../parts/button.tsx'
import { useTexts } from '../texts/define-texts.ts'
import { useLanguage, type PageLanguage } from '../texts/language.ts'
import type { Zone } from '../texts/zone.ts'
import type { Area } from './areas.ts'
import { texts } from './frame.texts.ts'
import { PersonIcon } from './icons.tsx'
import { menuTexts } from './menu.texts.ts'
import { useSettings, type Theme } from '../parts/settings.tsx'
import styles from './frame.module.css'

/** The languages in their own words. */
const LANGUAGES: Record<PageLanguage, string> = { en: 'English', de: 'Deutsch' }

/** Who is signed in, the language, the theme, the zone of times, and signing out. The browser closes it on
 * Escape and on a click elsewhere. */
export function UserMenu({
  session,
  others,
  showCalls,
}: {
  session: PageSession | undefined
  /** Entries of the menu that the bar at the bottom of small windows has no place for. */
  others: Area['entries']
  showCalls: () => void
}) {
  const [said, names] = [useTexts(texts), useTexts(menuTexts)]
  const language = useLanguage()
  const { theme, setTheme, zone, setZone, setLanguage } = useSettings()
  const { data: user } = useQuery({ ...userQuery(session?.user_id ?? ''), enabled: Boolean(session) })
  const signOut = useSignOut()
  const [, navigate] = useLocation()
  return (
    <>
      <button type="button" className={styles.tool} popoverTarget="user-menu" aria-label={said.account}>
        <PersonIcon />
      </button>
      <div
        id="user-menu"
        popover="auto"
        className={styles.userMenu}
        // A link leads to a page, which it must not cover.
        onClick={({ target, currentTarget }) => {
          if ((target as Element).closest('a')) currentTarget.hidePopover()
        }}
      >
        {session && (
          <p dir="auto" className={styles.name}>
            {user?.name ?? (session.role === 'operator' ? said.operator : '')}
          </p>
        )}
        {session && <Link href="/me">{said.profile}</Link>}
        {session && others.length > 0 && (
          <nav aria-label={said.morePages}>
            {others.map(({ path, menu }) =>
              path === '/me' ? null : (
                <Link key={path} href={path}>
                  {names[menu]}
                </Link>
              ),
            )}
          </nav>
        )}
        <label>
          {said.language}
          <select value={language} onChange={({ target }) => setLanguage(target.value as PageLanguage)}>
            {Object.entries(LANGUAGES).map(([value, name]) => (
              <option key={value} value={value} lang={value}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label>
          {said.theme}
          <select value={theme} onChange={({ target }) => setTheme(target.value as Theme)}>
            {(['system', 'light', 'dark'] as const).map((value) => (
              <option key={value} value={value}>
                {said.themes[value]}
              </option>
            ))}
          </select>
        </label>
        <label>
          {said.zone}
          <select value={zone} onChange={({ target }) => setZone(target.value as Zone)}>
            <option value="local">{said.zones.local}</option>
            <option value="utc">{said.zones.utc}</option>
          </select>
        </label>
        <Button onClick={showCalls} popoverTarget="user-menu" popoverTargetAction="hide">
          {said.calls}
        </Button>
        {session && (
          <Button
            popoverTarget="user-menu"
            popoverTargetAction="hide"
            onClick={() => void signOut().then(() => navigate('/sign-in'))}
          >
            {said.signOut}
          </Button>
        )}
      </div>
    </>
  )
}
