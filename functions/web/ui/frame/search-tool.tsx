import { lazy, Suspense, useState } from 'react'
import type { PageSession } from '../data/session.ts'
import { useTexts } from '../texts/define-texts.ts'
import { areas } from './areas.ts'
import styles from './frame.module.css'
import { texts } from './frame.texts.ts'
import { SearchIcon } from './icons.tsx'
import { menuTexts } from './menu.texts.ts'
import { useShortcut } from './use-shortcut.ts'

const Search = lazy(() => import('../search/search.tsx'))

/** A button that opens the search, as Ctrl or Cmd with K does. The search is loaded when it is first
 * opened. */
export function SearchTool({ role }: Pick<PageSession, 'role'>) {
  const [said, names] = [useTexts(texts), useTexts(menuTexts)]
  const [isOpen, setOpen] = useState(false)
  useShortcut('k', true, () => setOpen((was) => !was))
  const seen = role === 'operator' ? areas : areas.slice(0, 1)
  const pages = seen.flatMap(({ entries }) => entries.map(({ path, menu }) => ({ path, name: names[menu] })))
  return (
    <>
      <button
        type="button"
        className={styles.tool}
        aria-label={said.search}
        aria-haspopup="dialog"
        aria-keyshortcuts="Control+K Meta+K"
        onClick={() => setOpen(true)}
      >
        <SearchIcon />
      </button>
      {isOpen && (
        <Suspense>
          <Search role={role} pages={pages} close={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  )
}
