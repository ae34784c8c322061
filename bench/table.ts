import type { Result } from './rounds.ts'

const HEAD = ['', 'ours', 'floor', 'unit', 'ratio', 'spread', 'goal', '']

/** Returns the results as a table of text, with latencies and notes below each line. */
export function toTable(results: readonly Result[]): string {
  const rows = results.map((result) => [
    result.name,
    figure(result.ours),
    figure(result.floor),
    result.unit,
    result.ratio.toFixed(2),
    `±${(result.spread / 2).toFixed(2)}`,
    goalOf(result),
    verdict(result),
  ])
  return [toColumns(HEAD, rows, [0, 3, 7]), ...results.flatMap(details)].join('\n')
}

/** Returns rows as columns of text. Figures stand at the right of their column.
 * @param texts the columns that hold text, from 0 */
export function toColumns(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  texts: readonly number[],
): string {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)))
  const lineOf = (row: readonly string[]): string =>
    row
      .map((cell, i) => (texts.includes(i) ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd()
  return [head, ...rows].map(lineOf).join('\n')
}

/** Returns `≥ 4`, `≤ 1.3`, or nothing if there is no goal. */
export function goalOf({ goal, better }: Pick<Result, 'goal' | 'better'>): string {
  return goal === null ? '' : `${better === 'higher' ? '≥' : '≤'} ${goal}`
}

/** Returns a figure with its significant digits: 18,412, 41.3 or 0.552. */
export function figure(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en')
  return value >= 10 ? value.toFixed(1) : value.toFixed(3)
}

const verdict = ({ met }: Result): string => (met === null ? '' : met ? 'met' : 'not met')

function details({ name, latency_ms: latency, notes = [] }: Result): string[] {
  const lines = latency
    ? [`p50 ${figure(latency.p50)} ms, p99 ${figure(latency.p99)} ms, p99.9 ${figure(latency.p999)} ms`]
    : []
  return [...lines, ...notes].map((line, i) => `${i === 0 ? `\n${name}\n` : ''}  ${line}`)
}
