import type { ReactNode } from 'react'
import { common } from '../texts/common.texts.ts'
import { useTexts } from '../texts/define-texts.ts'
import { problemTexts } from '../texts/problems.texts.ts'
import styles from './problem-note.module.css'
import { shownProblem, useProblemSentence } from './problem.ts'
import { useCountdown } from './use-countdown.ts'

/** Says what went wrong, what it means for money, and what to do. Shows nothing without a problem. `action`
 * is one button. */
export function ProblemNote({ problem, action }: { problem: unknown; action?: ReactNode }) {
  const sentence = useProblemSentence(problem)
  const words = useTexts(common)
  if (problem === undefined || problem === null) return null
  const { waitSeconds, traceId, errors, code, detail } = shownProblem(problem)
  const isGeneral = errors.every(({ path }) => path === '')
  return (
    <div className={styles.note}>
      <div role="alert" tabIndex={-1}>
        <p>{sentence}</p>
        {code === 'invalid-input' && isGeneral && detail && <p>{detail}</p>}
      </div>
      {waitSeconds !== undefined && <Wait problem={problem} seconds={waitSeconds} />}
      {traceId && (
        <p className={styles.trace}>
          {words.trace} <code>{traceId}</code>
        </p>
      )}
      {action}
    </div>
  )
}

/** Counts down until it may be tried again. Outside of what is read aloud at once: nobody wants to hear each
 * second. */
function Wait({ problem, seconds }: { problem: unknown; seconds: number }) {
  const texts = useTexts(problemTexts)
  const left = useCountdown(problem, seconds)
  return <p>{left > 0 ? texts.waitSeconds(left) : texts.waitIsOver}</p>
}
