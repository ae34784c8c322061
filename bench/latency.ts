/** Percentiles of a latency, in ms. */
export interface Latency {
  p50: number
  p99: number
  p999: number
}

/** Returns percentiles by nearest rank: the smallest value that this share of all values doesn't exceed.
 * Throws if there are no values. */
export function percentiles(values: readonly number[]): Latency {
  if (values.length === 0) throw new Error('expected latencies, got none')
  const sorted = Float64Array.from(values).sort()
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]!
  return { p50: at(0.5), p99: at(0.99), p999: at(0.999) }
}
