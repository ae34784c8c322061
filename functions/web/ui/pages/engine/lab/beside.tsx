import { useEffect } from 'react'
import { reportAddress, useStopRun, type LabRun } from '../../../data/lab.ts'
import { FileLink } from '../../../panels/file-link.tsx'
import { Button } from '../../../parts/button.tsx'
import { Facts } from '../../../parts/facts.tsx'
import { PlainPanel } from '../../../parts/panel.tsx'
import { ProblemNote } from '../../../parts/problem-note.tsx'
import { Status } from '../../../parts/status.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import styles from './lab.module.css'
import { texts } from './lab.texts.ts'

const KINDS = { ok: 'good', broken: 'bad', unknown: 'neutral' } as const
const VERDICTS = { green: 'good', red: 'bad', unproven: 'warn', none: 'warn' } as const

/** The invariants, how they stand, and the button that ends all faults. */
export function Beside({ run }: { run: LabRun | undefined }) {
  const said = useTexts(texts)
  const stop = useStopRun()
  const isBusy = run !== undefined && run.state !== 'ended'
  const { mutate } = stop
  const id = run?.id
  useEffect(() => {
    if (!isBusy || id === undefined) return
    const onKey = (event: KeyboardEvent): void => {
      if (event.key === 'Escape' && !event.defaultPrevented) mutate(id)
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [isBusy, id, mutate])
  return (
    <div className={styles.beside}>
      <PlainPanel title={said.invariantsTitle}>
        {isBusy && (
          <p className={styles.stop}>
            <Button look="danger" onClick={() => mutate(run.id)}>
              {said.stop}
            </Button>
            <small>{said.stopHint}</small>
          </p>
        )}
        <ProblemNote problem={stop.error} />
        {run ? <Standing run={run} /> : <p>{said.noRun}</p>}
      </PlainPanel>
    </div>
  )
}

function Standing({ run }: { run: LabRun }) {
  const said = useTexts(texts)
  const counts = Object.entries(run.counts) as [keyof LabRun['counts'], number][]
  return (
    <>
      <p role="status">
        {run.verdict === null ? (
          <Status kind="cold" word={said.states[run.state]} />
        ) : (
          <Status kind={VERDICTS[run.verdict]} word={said.verdicts[run.verdict]} />
        )}
      </p>
      <Facts
        facts={run.invariants.map(({ id, state, found }) => [
          said.invariants[id],
          <span key={id} title={found}>
            <Status kind={KINDS[state]} word={said.invariantStates[state]} />
          </span>,
        ])}
      />
      {run.evidence.length > 0 && (
        <>
          <h3>{said.evidence}</h3>
          <ul className={styles.evidence}>
            {run.evidence.map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
        </>
      )}
      <h3>{said.figures}</h3>
      <Facts
        facts={[
          [said.scenario, run.scenario ? said.scenarioNames[run.scenario] : said.byHand],
          ...counts.map(([name, count]) => [said.counts[name], String(count)] as const),
          [said.seed, <code key="seed">{run.seed}</code>],
          [said.version, <code key="version">{run.commit?.slice(0, 12) ?? run.version}</code>],
        ]}
      />
      {run.state === 'ended' && (
        <p className={styles.reports}>
          <FileLink href={reportAddress(run, 'markdown')} download>
            {said.reportMarkdown}
          </FileLink>
          <FileLink href={reportAddress(run, 'json')} download>
            {said.reportJson}
          </FileLink>
        </p>
      )}
    </>
  )
}
