import type { ColdStart } from '../../../data/platform-starts.ts'
import { DataList, type Column } from '../../../parts/data-list.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import { Clock } from './clock.tsx'
import { barsOf, scaleOf, totalMs, type BarPhase } from './bars.ts'
import styles from './cold-starts.module.css'
import { texts } from './cold-starts.texts.ts'
import { useMs } from './use-ms.ts'

/** A process that waited longer than this was started in advance. */
const AHEAD_MS = 50

/** Each start as a line of bars, all to one scale, with its figures beside. */
export function Waterfall({
  starts,
  bareNodeMs,
  label,
}: {
  starts: readonly ColdStart[]
  bareNodeMs: number | null
  label: string
}) {
  const [said, ms] = [useTexts(texts), useMs()]
  const scaleMs = scaleOf(starts)
  const hasPhases = starts.some(({ spawn_ms: spawn }) => spawn !== null)
  const figure = (title: string, of: (start: ColdStart) => number | null): Column<ColdStart> => ({
    title,
    align: 'end',
    cell: (start) => {
      const value = of(start)
      return value === null ? '–' : ms(value)
    },
  })
  const course = (start: ColdStart) => <Course {...{ start, scaleMs, bareNodeMs }} />
  const phases = hasPhases
    ? [
        figure(said.names.spawn, (start) => start.spawn_ms),
        figure(said.names.boot, (start) => start.boot_ms),
        figure(said.names.load, (start) => start.load_ms),
        figure(said.names['first-request'], (start) => start.first_request_ms),
        figure(said.names['first-query'], (start) => start.first_query_ms),
      ]
    : []
  const columns: Column<ColdStart>[] = [
    { title: said.function, cell: (start) => <code>{start.function}</code> },
    { title: said.started, cell: (start) => <Clock at={start.started_at} /> },
    { title: said.course, cell: course },
    ...phases,
    figure(hasPhases ? said.total : said.names.ready, totalMs),
  ]
  const item = (start: ColdStart) => (
    <div className={styles.item}>
      <span className={styles.itemHead}>
        <code>{start.function}</code>
        <Clock at={start.started_at} />
      </span>
      {course(start)}
      <dl className={styles.figures}>
        {columns.slice(3).map(({ title, cell }) => (
          <div key={title}>
            <dt>{title}</dt>
            <dd>{cell(start)}</dd>
          </div>
        ))}
      </dl>
    </div>
  )
  return (
    <div className={styles.waterfall}>
      <Legend {...{ starts, scaleMs, bareNodeMs }} />
      <DataList
        label={label}
        rows={starts}
        keyOf={({ function: name, started_at: at, ready_ms: ready }) => `${name} ${at} ${ready}`}
        columns={columns}
        item={item}
      />
    </div>
  )
}

function Course({
  start,
  scaleMs,
  bareNodeMs,
}: {
  start: ColdStart
  scaleMs: number
  bareNodeMs: number | null
}) {
  const [said, ms] = [useTexts(texts), useMs()]
  const part = (of: number): string => `${Math.min(100, (of / scaleMs) * 100)}%`
  const { idle_ms: idle } = start
  return (
    <>
      <div className={styles.course} aria-hidden="true">
        {barsOf(start).map(({ phase, fromMs, ms: length }) => (
          <span
            key={phase}
            className={styles.bar}
            data-phase={phase}
            title={`${said.names[phase]}: ${ms(length)}`}
            style={{ insetInlineStart: part(fromMs), inlineSize: part(length) }}
          />
        ))}
        {bareNodeMs !== null && (
          <span className={styles.floor} style={{ insetInlineStart: part(bareNodeMs) }} />
        )}
      </div>
      {idle !== null && idle > AHEAD_MS && <p className={styles.note}>{said.waited(ms(idle))}</p>}
    </>
  )
}

const PHASES: readonly BarPhase[] = [
  ...(['spawn', 'port-open', 'boot', 'load', 'first-request', 'first-query', 'ready'] as const),
]

function Legend({
  starts,
  scaleMs,
  bareNodeMs,
}: {
  starts: readonly ColdStart[]
  scaleMs: number
  bareNodeMs: number | null
}) {
  const [said, ms] = [useTexts(texts), useMs()]
  const drawn = new Set(starts.flatMap(barsOf).map(({ phase }) => phase))
  return (
    <ul className={styles.legend}>
      {PHASES.filter((phase) => drawn.has(phase)).map((phase) => (
        <li key={phase}>
          <span className={styles.swatch} aria-hidden="true">
            <span className={styles.bar} data-phase={phase} />
          </span>
          {said.names[phase]}
        </li>
      ))}
      {bareNodeMs !== null && (
        <li>
          <span className={styles.swatch} aria-hidden="true">
            <span className={styles.floor} />
          </span>
          {said.bareNodeLine(ms(bareNodeMs))}
        </li>
      )}
      <li className={styles.axis}>{said.axis(ms(scaleMs))}</li>
    </ul>
  )
}
