import { useInfiniteQuery } from '@tanstack/react-query'
import { Link, useSearch } from 'wouter'
import { deadLetterGroupsQuery, type LetterStatus } from '../../../data/dead-letters.ts'
import { More } from '../../../parts/more.tsx'
import { Page } from '../../../parts/page.tsx'
import { Panel } from '../../../parts/panel.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import { addressOf, readAddress } from './address.ts'
import styles from './dead-letters.module.css'
import { texts } from './dead-letters.texts.ts'
import { Group } from './group.tsx'
import { Redrives } from './redrives.tsx'

const STATUSES: readonly LetterStatus[] = ['stored', 'redriven', 'discarded']

/** Events that no consumer could process, by their cause: what they are, and what becomes of them. */
export default function DeadLetters() {
  const said = useTexts(texts)
  const { status, group: open } = readAddress(useSearch())
  const list = useInfiniteQuery(deadLetterGroupsQuery(status))
  return (
    <Page title={said.title}>
      <p className={styles.intro}>{said.intro}</p>
      <nav className={styles.filter} aria-label={said.show}>
        {STATUSES.map((each) => (
          <Link
            key={each}
            href={addressOf({ status: each })}
            aria-current={each === status ? 'page' : undefined}
          >
            {said.status[each]}
          </Link>
        ))}
      </nav>
      <Panel
        title={said.groups}
        query={{ ...list, data: list.data?.pages.flatMap(({ items }) => items) }}
        starts="dead-letters"
        empty={{ text: said.none[status] }}
      >
        {(groups) => (
          <>
            <ul className={styles.list} aria-label={said.groups}>
              {groups.map((group) => (
                <Group key={group.id} {...{ group, status }} isOpen={group.id === open} />
              ))}
            </ul>
            <More list={list} />
          </>
        )}
      </Panel>
      <Redrives />
    </Page>
  )
}
