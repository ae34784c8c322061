import { useInfiniteQuery, type UseInfiniteQueryResult } from '@tanstack/react-query'
import { stopsQuery, useResumeLedger, type Stop } from '../../../data/ledger.ts'
import { Button } from '../../../parts/button.tsx'
import { Facts } from '../../../parts/facts.tsx'
import { Field } from '../../../parts/field.tsx'
import { Form } from '../../../parts/form.tsx'
import { Id } from '../../../parts/id.tsx'
import { Moment } from '../../../parts/moment.tsx'
import { More } from '../../../parts/more.tsx'
import { Panel } from '../../../parts/panel.tsx'
import { Status } from '../../../parts/status.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import styles from './ledger.module.css'
import { texts } from './ledger.texts.ts'

/** The stops that are open, each with its evidence and the form that lifts it; then those that are lifted. */
export function Stops() {
  const said = useTexts(texts)
  return (
    <>
      <StopList title={said.openStops} none={said.noOpenStops} list={useInfiniteQuery(stopsQuery(true))} />
      <StopList
        title={said.liftedStops}
        none={said.noLiftedStops}
        list={useInfiniteQuery(stopsQuery(false))}
      />
    </>
  )
}

function StopList({
  title,
  none,
  list,
}: {
  title: string
  none: string
  list: UseInfiniteQueryResult<Stop[]>
}) {
  return (
    <Panel title={title} query={list} starts="ledger-checks" rows={1} empty={{ text: none }}>
      {(stops) => (
        <>
          <ul className={styles.stops}>
            {stops.map((stop) => (
              <li key={stop.id}>
                <OneStop stop={stop} />
              </li>
            ))}
          </ul>
          <More list={list} />
        </>
      )}
    </Panel>
  )
}

const isOpen = ({ lifted_at: liftedAt }: Stop): boolean => liftedAt === null

function OneStop({ stop }: { stop: Stop }) {
  const said = useTexts(texts)
  const { currency, reason, evidence, accepted, stopped_at: at, stopped_by: by } = stop
  const { lifted_at: liftedAt, lift_reason: liftReason, lifted_by: liftedBy } = stop
  const what = currency ?? said.all
  return (
    <article className={styles.stop} aria-label={said.by(what)}>
      <h3>
        {what}{' '}
        <Status kind={isOpen(stop) ? 'bad' : 'neutral'} word={isOpen(stop) ? said.open : said.lifted} />
      </h3>
      <Facts
        facts={[
          [said.since, <Moment key="at" at={at} />],
          [said.why, <bdi key="why">{reason}</bdi>],
          [said.who, by === null ? said.byGuard : <Id key="by" value={by} />],
          ...(liftedAt === null
            ? []
            : ([
                [said.lifted, <Moment key="lifted" at={liftedAt} />],
                [said.why, <bdi key="why-lifted">{liftReason}</bdi>],
                [said.who, <Id key="lifted-by" value={liftedBy ?? ''} />],
              ] as const)),
        ]}
      />
      {evidence && <Faults title={said.evidence} faults={evidence} />}
      {accepted && accepted.length > 0 && <Faults title={said.accepted} faults={accepted} />}
      {isOpen(stop) && <ResumeForm id={stop.id} what={what} />}
    </article>
  )
}

/** What a check found wrong, as it described it. */
function Faults({ title, faults }: { title: string; faults: readonly Record<string, unknown>[] }) {
  return (
    <details open>
      <summary className={styles.summary}>{title}</summary>
      <ul className={styles.faults}>
        {faults.map((fault, n) => (
          <li key={n}>
            <code>{JSON.stringify(fault)}</code>
          </li>
        ))}
      </ul>
    </details>
  )
}

function ResumeForm({ id, what }: { id: string; what: string }) {
  const said = useTexts(texts)
  const resume = useResumeLedger()
  return (
    <Form
      name={`resume ${id}`}
      problem={resume.error}
      onSubmit={({ reason = '' }) => resume.mutate({ stop_id: id, reason })}
    >
      <p>{said.resumeHint}</p>
      <Field name="reason" label={said.reason} required maxLength={500} autoComplete="off" />
      <div className={styles.buttons}>
        <Button type="submit" disabled={resume.isPending} aria-label={said.resumeStop(what)}>
          {said.resume}
        </Button>
      </div>
    </Form>
  )
}
