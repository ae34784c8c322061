import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { redrivesQuery, type DeadLetterRedrive } from '../../../data/dead-letters.ts'
import { Panel } from '../../../parts/panel.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import styles from './dead-letters.module.css'
import { texts } from './dead-letters.texts.ts'
import { RedriveProgress } from './redrive-progress.tsx'

/** The last redrives: how far each is, and how much of it came back. */
export function Redrives() {
  const said = useTexts(texts)
  const redrives = useQuery(redrivesQuery())
  useGroupsAfresh(redrives.data)
  return (
    <Panel
      title={said.redrives}
      query={redrives}
      rows={1}
      starts="dead-letters"
      empty={{ text: said.noRedrives }}
    >
      {(list) => (
        <ul className={styles.list} aria-label={said.redrives}>
          {list.map((redrive) => (
            <li key={redrive.id} className={styles.item}>
              <RedriveProgress redrive={redrive} />
            </li>
          ))}
        </ul>
      )}
    </Panel>
  )
}

/** Reads the groups again when a redrive has sent something, and the letters when it has ended or some came
 * back: each reading of letters is in the audit. */
function useGroupsAfresh(redrives: readonly DeadLetterRedrive[] = []): void {
  const queries = useQueryClient()
  const sent = redrives.map(({ sent, failed }) => [sent, failed]).join()
  const ends = redrives.map(({ status, came_back: back }) => [status, back]).join()
  useEffect(
    () => void queries.invalidateQueries({ queryKey: ['dead-letters', 'groups'] }),
    [queries, sent, ends],
  )
  useEffect(() => void queries.invalidateQueries({ queryKey: ['dead-letters', 'letters'] }), [queries, ends])
}
