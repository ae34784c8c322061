import { formatFigure } from '../../../texts/formats.ts'
import type { PageLanguage } from '../../../texts/language.ts'

type UnitStep = readonly [from: number, divisor: number, unit: string]

/** A value is written in the first unit that it reaches. */
const SECONDS: readonly UnitStep[] = [
  [86_400, 86_400, 'd'],
  [3_600, 3_600, 'h'],
  [60, 60, 'min'],
  [1, 1, 's'],
  [0, 0.001, 'ms'],
]
const BYTES: readonly UnitStep[] = [
  [1e9, 1e9, 'GB'],
  [1e6, 1e6, 'MB'],
  [1e3, 1e3, 'kB'],
  [0, 1, 'B'],
]

/** What the units of the dashboards mean, which are Grafana's. */
const UNITS: Readonly<Record<string, readonly UnitStep[]>> = {
  s: SECONDS,
  bytes: BYTES,
  ms: [[0, 1, 'ms']],
  percent: [[0, 1, '%']],
  percentunit: [[0, 0.01, '%']],
  reqps: [[0, 1, '/s']],
  ops: [[0, 1, '/s']],
  eps: [[0, 1, '/s']],
}

/** Writes a value with its unit: 0.25 of `s` as 250 ms. A unit that is not known here is not written. */
export function figure(language: PageLanguage, unit: string, value: number): string {
  const steps = UNITS[unit]
  if (!steps) return formatFigure(language, value)
  if (value === 0 && (unit === 's' || unit === 'bytes')) return `0 ${unit === 's' ? 's' : 'B'}`
  const [, divisor, symbol] = steps.find(([from]) => Math.abs(value) >= from)!
  const number = formatFigure(language, value / divisor)
  return symbol === '/s' ? `${number}/s` : `${number} ${symbol}`
}

/** Fills the labels of a series into its name: `{{service}}` becomes transfer. If a series has none of the
 * labels, it is a zero that stands for no series, and `none` is its name. */
export function named(legend: string, labels: Readonly<Record<string, unknown>>, none: string): string {
  const wanted = [...legend.matchAll(/{{(\w+)}}/g)].map(([, label]) => label!)
  if (wanted.length > 0 && wanted.every((label) => labels[label] === undefined)) return none
  return legend.replaceAll(/{{(\w+)}}/g, (_all, label: string) => String(labels[label] ?? ''))
}
