/** After a quiet while, this many seconds' worth may come at once. */
const BURST_SECONDS = 5

/** Returns a function that says whether one more may begin now: `perSecond` on average. `now` gives
 * milliseconds. */
export function samplingRate(perSecond: number, now: () => number = () => performance.now()): () => boolean {
  const most = perSecond * BURST_SECONDS
  let left = most
  let at = now()
  return () => {
    const time = now()
    left = Math.min(most, left + ((time - at) / 1_000) * perSecond)
    at = time
    if (left < 1) return false
    left--
    return true
  }
}
