import type { Progress } from '../progress.ts'

const CELLS = 24

/** Says how far a long piece of work has come. `isTerminal`: a line that is drawn again there, one now and
 * then elsewhere. */
export function createBar(
  progress: Progress,
  { unit, total, isTerminal = process.stderr.isTTY }: { unit: string; total: number; isTerminal?: boolean },
) {
  const everyMs = isTerminal ? 250 : 15_000
  const startedAt = performance.now()
  let saidAt = startedAt
  let first: number | undefined
  return {
    /** Tells what has been done of `total`; the first time what had been done before the work went on. */
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

/** Minutes and seconds. */
function clock(seconds: number): string {
  const rounded = Math.ceil(seconds)
  return `${Math.floor(rounded / 60)}:${String(rounded % 60).padStart(2, '0')}`
}
