/** What was seen in a step of a load. */
export interface RateStep {
  /** Answers per second. */
  reached: number
  /** Events that waited for publishing at the end of the step. */
  backlog: number
  /** Length of the step. */
  seconds: number
  /** Whether the generator sent as fast as it got answers: no greater rate can be asked for. */
  isFull: boolean
}

/** Finds the greatest rate at which no backlog grows, and keeps to it. */
export interface RateControl {
  /** The rate to ask for next. */
  readonly perSecond: number
  /** Whether a rate has been found above which events pile up, or requests are not answered. */
  readonly hasFound: boolean
  /** Takes what a step at `perSecond` came to, and changes `perSecond`. */
  note(step: RateStep): void
}

/** An event stays pending for some tenths of a second, because confirmed ones are deleted in batches. So this
 * many seconds of the rate are under way, and no backlog. */
const UNDER_WAY_SECONDS = 0.5
const SEARCH_FACTOR = 1.25
const UP = 1.05
/** Of what is published, so that a backlog shrinks. */
const SHARE_PUBLISHED = 0.95
/** The most that one step takes away: a load that is too great also slows publishing down. */
const DOWN_MAX = 0.8

/** Returns the events that wait beyond those that are under way. */
export const excessOf = ({ reached, backlog }: Pick<RateStep, 'reached' | 'backlog'>): number =>
  Math.max(0, backlog - Math.max(100, reached * UNDER_WAY_SECONDS))

export function createRateControl(start: number): RateControl {
  let [perSecond, hasFound, before] = [start, false, 0]
  return {
    get perSecond() {
      return perSecond
    },
    get hasFound() {
      return hasFound
    },
    note(step) {
      const excess = excessOf(step)
      const growth = (excess - before) / step.seconds
      before = excess
      if (excess === 0 && step.isFull) {
        hasFound = true
        perSecond = step.reached
      } else if (excess === 0) perSecond *= hasFound ? UP : SEARCH_FACTOR
      else if (growth > 0) {
        hasFound = true
        const published = step.reached - growth
        const asked = Math.min(perSecond, step.reached)
        perSecond = Math.min(asked, Math.max(published * SHARE_PUBLISHED, asked * DOWN_MAX))
      }
    },
  }
}
