import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { Link } from 'wouter'
import { redrivesQuery, useLetterOrder, type DeadLetterRedrive } from '../../../data/dead-letters.ts'
import { Button } from '../../../parts/button.tsx'
import { Moment } from '../../../parts/moment.tsx'
import { Panel } from '../../../parts/panel.tsx'
import { ProblemNote } from '../../../parts/problem-note.tsx'
import { Status, type StatusKind } from '../../../parts/status.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import { formatNumber } from '../../../texts/formats.ts'
import { useLanguage } from '../../../texts/language.ts'
import { addressOf } from './address.ts'
import styles from './dead-letters.module.css'
import { texts } from './dead-letters.texts.ts'

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
            <Redrive key={redrive.id} redrive={redrive} />
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

const KINDS: Record<DeadLetterRedrive['status'], StatusKind> = {
  running: 'cold',
  completed: 'good',
  stopped: 'neutral',
}

function Redrive({ redrive }: { redrive: DeadLetterRedrive }) {
  const said = useTexts(texts)
  const language = useLanguage()
  const order = useLetterOrder()
  const { id, group_id: group, status, total, sent, failed, came_back: cameBack } = redrive
  const figure = (count: number) => formatNumber(language, count)
  const progress = said.sentOf(figure(sent), figure(total))
  return (
    <li className={styles.item}>
      <div className={styles.head}>
        <Status kind={KINDS[status]} word={said.redriveStatus[status]} />
        <Moment at={redrive.created_at} />
      </div>
      <progress className={styles.progress} max={total} value={sent + failed} aria-label={progress} />
      <div className={styles.facts} role="status">
        <span>{progress}</span>
        {status === 'running' && <span>{said.perSecond(figure(redrive.per_second))}</span>}
        {failed > 0 && <Status kind="bad" word={said.failed(figure(failed))} />}
        {cameBack > 0 && <Status kind="warn" word={said.cameBack(figure(cameBack))} />}
      </div>
      <div className={styles.actions}>
        {group !== null && <Link href={addressOf({ status: 'stored', group })}>{said.showGroup}</Link>}
        {status === 'running' && (
          <Button onClick={() => order.mutate({ order: 'stop', redrive: id })} disabled={order.isPending}>
            {said.stop}
          </Button>
        )}
        <ProblemNote problem={order.error} />
      </div>
    </li>
  )
}
