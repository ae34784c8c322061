import { useQuery } from '@tanstack/react-query'
import { Link } from 'wouter'
import { unreadQuery } from '../data/notifications.ts'
import { useNotificationStream } from '../data/stream.ts'
import { useTexts } from '../texts/define-texts.ts'
import styles from './bell.module.css'
import { texts } from './bell.texts.ts'
import frame from './frame.module.css'
import { BellIcon } from './icons.tsx'

/** More than this many are not counted out. */
const SHOWN_MAX = 99

/** Leads to the messages, and says how many are new. Whoever is signed in has it, so it holds the stream. */
export function Bell({ userId }: { userId: string }) {
  const said = useTexts(texts)
  const { data: count = 0 } = useQuery(unreadQuery())
  useNotificationStream(userId)
  const shown = count > SHOWN_MAX ? `${SHOWN_MAX}+` : String(count)
  return (
    <Link
      href="/notifications"
      className={frame.tool}
      aria-label={count > 0 ? said.messages(shown) : said.none}
      id="bell"
    >
      <span className={styles.bell}>
        <BellIcon />
        {count > 0 && <span className={styles.count}>{shown}</span>}
      </span>
    </Link>
  )
}
