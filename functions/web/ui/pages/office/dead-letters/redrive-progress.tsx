import { Link } from 'wouter'
import { useLetterOrder, type DeadLetterRedrive } from '../../../data/dead-letters.ts'
import { Button } from '../../../parts/button.tsx'
import { Moment } from '../../../parts/moment.tsx'
import { ProblemNote } from '../../../parts/problem-note.tsx'
import { Status, type StatusKind } from '../../../parts/status.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import { formatNumber } from '../../../texts/formats.ts'
import { useLanguage } from '../../../texts/language.ts'
import { addressOf } from './address.ts'
import styles from './dead-letters.module.css'
import { texts } from './dead-letters.texts.ts'

const KINDS: Record<DeadLetterRedrive['status'], StatusKind> = {
  running: 'cold',
  completed: 'good',
  stopped: 'neutral',
}

/** How far a redrive is, what came back, and the button that stops it. */
export function RedriveProgress({ redrive }: { redrive: DeadLetterRedrive }) {
  const said = useTexts(texts)
  const language = useLanguage()
  const order = useLetterOrder()
  const { id, group_id: group, status, total, sent, failed, came_back: cameBack } = redrive
  const figure = (count: number) => formatNumber(language, count)
  const progress = said.sentOf(figure(sent), figure(total))
  return (
    <div className={styles.part}>
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
    </div>
  )
}
