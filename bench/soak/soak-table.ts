import { figure, toColumns } from '../table.ts'
import type { SoakResult } from './soak.ts'

const shown = (value: number): string => (value === 0 ? '0' : figure(value))
const count = (value: number): string => value.toLocaleString('en')

/** Returns what a soak came to, as text: each series by its thirds, and what was killed. */
export function soakTable({ trends, killed, ...result }: SoakResult): string {
  const kills = [...new Set(killed)].map((name) => [name, killed.filter((each) => each === name).length])
  const rows = trends.map(({ name, unit, thirds, perHour }) => [
    name,
    ...thirds.map(shown),
    `${perHour < 0 ? '-' : '+'}${shown(Math.abs(perHour))}`,
    unit,
  ])
  return [
    toColumns(['', 'first third', 'second', 'last', 'an hour adds', ''], rows, [0, 5]),
    '',
    `${figure(result.perSecond)} transfers a second through the front door, half of ${figure(result.sustainedPerSecond)}, for ${result.seconds} s`,
    `${count(result.transfers)} transfers were answered, each was posted once and has one notification; ${count(result.repeated)} requests were sent again`,
    `killed, by seed ${result.seed}: ${kills.map(([name, times]) => `${name} ${times}`).join(', ')}`,
  ].join('\n')
}
