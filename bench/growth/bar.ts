import type { Progress } from '../progress.ts'

const CELLS = 24

/** Creates a progress bar for long work. `isTerminal`: true redraws one line, false writes a line now and
 * then. */
export function createBar(
  progress: Progress,
  { unit, total, isTerminal = process.stderr.isTTY }: { unit: string; total: number; isTerminal?: boolean },
) {
  const everyMs = isTerminal ? 250 : 15_000
  const startedAt = performance.now()
  let saidAt = startedAt
  let first: number | undefined
  return {
    /** Reports how much of `total` is done. The first call reports what was done before this run. */
    at(done: number): void {
      first ??= done
      const now = performance.now()
      if (now - saidAt < everyMs) return
      saidAt = now
      progress.step(barLine({ unit, total, done, perSecond: (done - first) / ((now - startedAt) / 1000) }))
    },
  }
}

/** `[#####-------------------]  21 %  2,100,000 of 10,000,000 entries, 48,000/s, 2:45 left` */
export function barLine({ unit, total, done, perSecond }: BarState): string {
  const share = Math.min(1, done / total)
  const filled = Math.floor(share * CELLS)
  const bar = '#'.repeat(filled) + '-'.repeat(CELLS - filled)
  const left = perSecond > 0 ? `, ${clock(Math.max(0, total - done) / perSecond)} left` : ''
  return `[${bar}] ${String(Math.floor(share * 100)).padStart(3)} %  ${whole(done)} of ${whole(total)} ${unit}, ${whole(perSecond)}/s${left}`
}

interface BarState {
  unit: string
  total: number
  done: number
  perSecond: number
}

const whole = (value: number): string => Math.round(value).toLocaleString('en')

/** Returns minutes and seconds as `2:45`. */
function clock(seconds: number): string {
  const rounded = Math.ceil(seconds)
  return `${Math.floor(rounded / 60)}:${String(rounded % 60).padStart(2, '0')}`
}
