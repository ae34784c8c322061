import type { DeliveredTrigger } from '../../../data/platform-events.ts'

type Rate = NonNullable<DeliveredTrigger['rate']>

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0)

/** How many attempts there were in all of the time that is kept. */
export const totalOf = ({ delivered, failed }: Rate) => ({ delivered: sum(delivered), failed: sum(failed) })

/** The attempts by minute, the oldest first. */
export function byMinute(counts: readonly number[], periodSeconds: number): number[] {
  const each = Math.max(1, Math.round(60 / periodSeconds))
  return Array.from({ length: Math.ceil(counts.length / each) }, (_, n) =>
    sum(counts.slice(n * each, (n + 1) * each)),
  )
}

/** The path of a line over `counts`, in a box of `width` and `height`, with `highest` at its top. */
export function linePath(
  counts: readonly number[],
  highest: number,
  { width, height }: { width: number; height: number },
): string {
  const step = counts.length > 1 ? width / (counts.length - 1) : 0
  const y = (count: number): number => round(height - (count / Math.max(1, highest)) * height)
  return counts.map((count, n) => `${n === 0 ? 'M' : 'L'}${round(n * step)} ${y(count)}`).join('')
}

const round = (value: number): number => Math.round(value * 10) / 10
