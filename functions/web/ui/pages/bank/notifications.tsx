import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from 'wouter'
import { useLive } from '../../data/live.ts'
import { notificationsQuery, useMarkRead, type Notification } from '../../data/notifications.ts'
import { Button, ButtonLink } from '../../parts/button.tsx'
import { Moment } from '../../parts/moment.tsx'
import { More } from '../../parts/more.tsx'
import { Page } from '../../parts/page.tsx'
import { Panel } from '../../parts/panel.tsx'
import { ProblemNote } from '../../parts/problem-note.tsx'
import { Status } from '../../parts/status.tsx'
import { useTexts } from '../../texts/define-texts.ts'
import styles from './notifications.module.css'
import { texts } from './notifications.texts.ts'

/** What happened to the customer's money, newest first. New ones come by themselves. */
export default function Notifications() {
  const said = useTexts(texts)
  const list = useInfiniteQuery(notificationsQuery())
  const markRead = useMarkRead()
  const items = list.data?.pages.flatMap((page) => page.items)
  const newest = items?.[0]
  const hasUnread = items?.some(({ read_at: at }) => at === null) ?? false
  return (
    <Page
      title={said.title}
      actions={
        <>
          <Button
            disabled={!hasUnread || markRead.isPending}
            onClick={() => newest && markRead.mutate(newest.id)}
          >
            {said.markRead}
          </Button>
          <ButtonLink href="/notifications/preferences">{said.choose}</ButtonLink>
        </>
      }
    >
      <ProblemNote problem={markRead.error} />
      <Panel query={{ ...list, data: items }} rows={6} starts="notifications" empty={{ text: said.none }}>
        {(shown) => (
          <>
            <div>
              <LiveNote />
              <ul className={styles.list} aria-label={said.title}>
                {shown.map((one) => (
                  <Item key={one.id} notification={one} />
                ))}
              </ul>
            </div>
            <More list={list} />
          </>
        )}
      </Panel>
    </Page>
  )
}

function Item({ notification }: { notification: Notification }) {
  const said = useTexts(texts)
  const { message, timestamp, subject, read_at: readAt, event_type: type } = notification
  return (
    <li className={styles.item} data-unread={readAt === null || undefined}>
      <span>{readAt === null && <Status kind="good" word={said.unread} />}</span>
      <p className={styles.message} dir="auto">
        {message}
      </p>
      <span className={styles.more}>
        {type.startsWith('transaction.') && (
          <Link href={`/transactions/${encodeURIComponent(subject)}`}>{said.receipt}</Link>
        )}
        <span className={styles.when}>
          <Moment at={timestamp} />
        </span>
      </span>
    </li>
  )
}

/** Says that the list has stopped growing by itself, and why. */
function LiveNote() {
  const said = useTexts(texts)
  const live = useLive()
  return (
    <div role="status">
      {(live === 'paused' || live === 'away') && <p className={styles.note}>{said[live]}</p>}
    </div>
  )
}
