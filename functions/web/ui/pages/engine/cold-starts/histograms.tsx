import type { ColdStartHistogram } from '../../../data/platform-starts.ts'
import { DataList, type Column } from '../../../parts/data-list.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import { formatNumber } from '../../../texts/formats.ts'
import { useLanguage } from '../../../texts/language.ts'
import { countOf, sumOf, usedBuckets, within } from './bars.ts'
import styles from './cold-starts.module.css'
import { texts } from './cold-starts.texts.ts'
import { useMs } from './use-ms.ts'

const PHASES = ['spawn', 'port-open', 'boot', 'load', 'first-request', 'first-query'] as const

interface PhaseCounts {
  phase: ColdStartHistogram['phase']
  counts: number[]
}

/** A histogram for each phase, and the same as a table. */
export function Histograms({
  histograms,
  boundsMs,
}: {
  histograms: readonly ColdStartHistogram[]
  boundsMs: readonly number[]
}) {
  const said = useTexts(texts)
  const phases: PhaseCounts[] = PHASES.flatMap((phase) => {
    const counts = sumOf(histograms, phase)
    return counts ? [{ phase, counts }] : []
  })
  const range = usedBuckets(phases.map(({ counts }) => counts))
  return (
    <>
      <ul className={styles.histograms} aria-hidden="true">
        {phases.map(({ phase, counts }) => (
          <li key={phase}>
            <strong>{said.names[phase]}</strong>
            <Bars counts={counts.slice(range.from, range.to + 1)} />
            <Ends boundsMs={boundsMs} range={range} />
          </li>
        ))}
      </ul>
      <Parts phases={phases} boundsMs={boundsMs} />
      <p className={styles.note}>{said.phasesNote}</p>
      <details className={styles.details}>
        <summary>{said.counts}</summary>
        <Counts phases={phases} boundsMs={boundsMs} range={range} />
      </details>
    </>
  )
}

function Bars({ counts }: { counts: readonly number[] }) {
  const highest = Math.max(1, ...counts)
  return (
    <span className={styles.columns}>
      {counts.map((count, n) => (
        <span
          key={n}
          style={{ blockSize: `${(count / highest) * 100}%` }}
          data-empty={count === 0 || undefined}
        />
      ))}
    </span>
  )
}

interface Shown {
  boundsMs: readonly number[]
  range: { from: number; to: number }
}

function Ends({ boundsMs, range: { from, to } }: Shown) {
  const ms = useMs()
  return (
    <span className={styles.ends}>
      <span>{ms(from === 0 ? 0 : boundsMs[from - 1]!)}</span>
      <span>{boundsMs[to] === undefined ? '∞' : ms(boundsMs[to])}</span>
    </span>
  )
}

function Parts({ phases, boundsMs }: { phases: readonly PhaseCounts[]; boundsMs: readonly number[] }) {
  const [said, language, bound] = [useTexts(texts), useLanguage(), useBound(boundsMs)]
  const columns: Column<PhaseCounts>[] = [
    {
      title: said.phase,
      cell: ({ phase }) => (
        <>
          {said.names[phase]} <span className={styles.note}>{said.about[phase]}</span>
        </>
      ),
    },
    { title: said.starts, align: 'end', cell: ({ counts }) => formatNumber(language, countOf(counts)) },
    { title: said.halfWithin, align: 'end', cell: ({ counts }) => bound(within(counts, boundsMs, 0.5)) },
    { title: said.mostWithin, align: 'end', cell: ({ counts }) => bound(within(counts, boundsMs, 0.95)) },
  ]
  return <DataList label={said.phases} rows={phases} keyOf={({ phase }) => phase} columns={columns} />
}

function Counts({ phases, boundsMs, range: { from, to } }: Shown & { phases: readonly PhaseCounts[] }) {
  const [said, ms] = [useTexts(texts), useMs()]
  const language = useLanguage()
  const rows = Array.from({ length: to - from + 1 }, (_, n) => from + n)
  const columns: Column<number>[] = [
    {
      title: said.range,
      cell: (n) =>
        boundsMs[n] === undefined ? said.above(ms(boundsMs[n - 1]!)) : said.upTo(ms(boundsMs[n])),
    },
    ...phases.map(({ phase, counts }): Column<number> => ({
      title: said.names[phase],
      align: 'end',
      cell: (n) => formatNumber(language, counts[n]!),
    })),
  ]
  return <DataList label={said.counts} rows={rows} keyOf={String} columns={columns} />
}

/** Writes the bound within which something lies. */
export function useBound(boundsMs: readonly number[]): (bound: number | null) => string {
  const [said, ms] = [useTexts(texts), useMs()]
  return (bound) => {
    if (bound === null) return '–'
    return bound === Infinity ? said.above(ms(boundsMs.at(-1) ?? 0)) : ms(bound)
  }
}
