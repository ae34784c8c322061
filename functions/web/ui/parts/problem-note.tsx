import type { ReactNode } from 'react'
import { common } from '../texts/common.texts.ts'
import { useTexts } from '../texts/define-texts.ts'
import { problemTexts } from '../texts/problems.texts.ts'
import styles from './problem-note.module.css'
import { shownProblem, useProblemSentence } from './problem.ts'

/** Says what went wrong, what it means for money, and what to do. Shows nothing without a problem. `action`
 * is one button. */
export function ProblemNote({ problem, action }: { problem: unknown; action?: ReactNode }) {
  const sentence = useProblemSentence(problem)
  const [texts, words] = [useTexts(problemTexts), useTexts(common)]
  if (problem === undefined || problem === null) return null
  const { waitSeconds, traceId, errors, code, detail } = shownProblem(problem)
  const isGeneral = errors.every(({ path }) => path === '')
  return (
    <div className={styles.note} role="alert">
      <p>
        {sentence} {waitSeconds !== undefined && texts.waitSeconds(String(waitSeconds))}
      </p>
      {code === 'invalid-input' && isGeneral && detail && <p>{detail}</p>}
      {traceId && (
        <p className={styles.trace}>
          {words.trace} <code>{traceId}</code>
        </p>
      )}
      {action}
    </div>
  )
}
