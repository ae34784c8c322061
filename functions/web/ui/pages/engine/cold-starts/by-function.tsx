import { Link } from 'wouter'
import type { ColdStartHistogram } from '../../../data/platform-starts.ts'
import { DataList, type Column } from '../../../parts/data-list.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import { formatNumber } from '../../../texts/formats.ts'
import { useLanguage } from '../../../texts/language.ts'
import { countOf, within } from './bars.ts'
import styles from './cold-starts.module.css'
import { texts } from './cold-starts.texts.ts'
import { useBound } from './histograms.tsx'

type Phase = ColdStartHistogram['phase']

/** Each function with the bounds within which half of its starts lie, by phase; most starts first. */
export function ByFunction({
  histograms,
  boundsMs,
}: {
  histograms: readonly ColdStartHistogram[]
  boundsMs: readonly number[]
}) {
  const [said, language, bound] = [useTexts(texts), useLanguage(), useBound(boundsMs)]
  const countsOf = (name: string, phase: Phase): readonly number[] =>
    histograms.find((each) => each.function === name && each.phase === phase)?.counts ?? []
  const starts = (name: string): number => countOf(countsOf(name, 'spawn'))
  const names = [...new Set(histograms.map((each) => each.function))]
    .filter((name) => starts(name) > 0)
    .sort((a, b) => starts(b) - starts(a) || a.localeCompare(b))
  const half = (phase: Phase): Column<string> => ({
    title: said.names[phase],
    align: 'end',
    cell: (name) => bound(within(countsOf(name, phase), boundsMs, 0.5)),
  })
  const columns: Column<string>[] = [
    {
      title: said.function,
      cell: (name) => (
        <Link href={`?function=${name}`} className={styles.name}>
          {name}
        </Link>
      ),
    },
    { title: said.starts, align: 'end', cell: (name) => formatNumber(language, starts(name)) },
    ...(['port-open', 'boot', 'load', 'first-request', 'first-query'] as const).map(half),
  ]
  return (
    <>
      <p className={styles.note}>{said.byFunctionNote}</p>
      <DataList label={said.byFunction} rows={names} keyOf={(name) => name} columns={columns} />
    </>
  )
}
