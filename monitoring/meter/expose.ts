import { catalogue, type Instrument } from '../catalogue.ts'
import type { Exemplar } from '../tallies.ts'
import type { Labels, Series, SummedHistogram } from './sums.ts'

export interface Exposed {
  contentType: string
  text: string
}

/** Where the series of an instrument are. */
export interface SeriesOf {
  values(name: string): Iterable<Series<number>>
  histograms(name: string): Iterable<Series<SummedHistogram>>
}

const OPEN_METRICS = 'application/openmetrics-text'

/** Whether this asks for OpenMetrics, as Prometheus does. */
export const wantsOpenMetrics = (accept: string): boolean => accept.includes(OPEN_METRICS)

/** Writes all series in the Prometheus text format, or as OpenMetrics 1.0 if `accept` asks for that. */
export function expose(series: SeriesOf, accept = ''): Exposed {
  const isOpen = wantsOpenMetrics(accept)
  const lines = catalogue.flatMap((instrument) => {
    const own = [...linesOf(instrument, series, isOpen)]
    return own.length === 0 ? [] : [...headOf(instrument, isOpen), ...own]
  })
  return {
    contentType: isOpen
      ? `${OPEN_METRICS}; version=1.0.0; charset=utf-8`
      : 'text/plain; version=0.0.4; charset=utf-8',
    text: `${lines.join('\n')}\n${isOpen ? '# EOF\n' : ''}`,
  }
}

/** OpenMetrics names a counter without `_total`. */
function headOf({ name, type, why }: Instrument, isOpen: boolean): string[] {
  const shown = isOpen && type === 'counter' ? name.slice(0, -'_total'.length) : name
  return [`# HELP ${shown} ${escaped(why)}`, `# TYPE ${shown} ${type}`]
}

function* linesOf(
  { name, type, buckets = [] }: Instrument,
  series: SeriesOf,
  isOpen: boolean,
): Iterable<string> {
  if (type !== 'histogram') {
    for (const { labels, value } of series.values(name)) yield `${name}${braces(labels)} ${value}`
    return
  }
  for (const { labels, value } of series.histograms(name)) {
    let count = 0
    for (const [i, added] of value.counts.entries()) {
      count += added
      const le = i < buckets.length ? String(buckets[i]) : '+Inf'
      const exemplar = isOpen ? exemplarText(value.exemplars?.get(i)) : ''
      yield `${name}_bucket${braces({ ...labels, le })} ${count}${exemplar}`
    }
    yield `${name}_sum${braces(labels)} ${value.sum}`
    yield `${name}_count${braces(labels)} ${count}`
  }
}

/** The trace of a value in the bucket. Only OpenMetrics has this. */
const exemplarText = (exemplar?: Exemplar): string =>
  exemplar ? ` # {trace_id="${exemplar.traceId}"} ${exemplar.value} ${(exemplar.atMs / 1000).toFixed(3)}` : ''

function braces(labels: Labels): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${escaped(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

const escaped = (text: string): string =>
  text.replace(/[\\"\n]/g, (one) => (one === '\n' ? '\\n' : `\\${one}`))
