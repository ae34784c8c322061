import type { Deliveries } from '../../../data/picture-change.ts'

/** Dots of one change, of which there are two a second at most: so no more than 20 a second. */
const DOTS_MAX = 10

/** Returns the Triggers whose events are drawn as dots, one for each dot. If there are too many events, each
 * Trigger gets one dot at least and the rest goes round. */
export function dotsOf(deliveries: readonly Deliveries[]): string[] {
  const left = deliveries.map(({ trigger, count }) => ({ trigger, count }))
  const dots: string[] = []
  while (dots.length < DOTS_MAX) {
    const drawn = left.filter(({ count }) => count > 0).slice(0, DOTS_MAX - dots.length)
    if (drawn.length === 0) break
    for (const each of drawn) {
      each.count--
      dots.push(each.trigger)
    }
  }
  return dots
}
