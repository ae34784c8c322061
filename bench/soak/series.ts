import { median } from '../rounds.ts'

/** What is followed through a soak. */
export interface SoakSeries {
  name: string
  unit: string
  /** One value for each window; undefined where none could be read, or where it is not to count. */
  values: readonly (number | undefined)[]
}

/** How a series went. */
export interface Trend {
  name: string
  unit: string
  /** Medians of the first, the middle and the last third of the run. */
  thirds: [number, number, number]
  /** What the straight line that fits best gains in an hour. */
  perHour: number
}

/** Sums up a series. Returns undefined if one of its thirds has no values.
 * @param windowSeconds length of a window */
export function trendOf({ name, unit, values }: SoakSeries, windowSeconds: number): Trend | undefined {
  const third = Math.ceil(values.length / 3)
  const thirds = [0, 1, 2].map((n) =>
    values.slice(n * third, (n + 1) * third).filter((value) => value !== undefined),
  )
  if (thirds.some((part) => part.length === 0)) return undefined
  const points = values.flatMap((value, n) =>
    value === undefined ? [] : [[n * windowSeconds, value] as const],
  )
  return {
    ...{ name, unit },
    thirds: thirds.map((part) => median(part)) as Trend['thirds'],
    perHour: slopeOf(points) * 3600,
  }
}

/** Returns the slope of the straight line that fits best (least squares). 0 for fewer than two points. */
export function slopeOf(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (pick: 0 | 1): number => points.reduce((sum, point) => sum + point[pick], 0) / points.length
  const [meanX, meanY] = [mean(0), mean(1)]
  const [over, under] = points.reduce(
    ([over, under], [x, y]) => [over + (x - meanX) * (y - meanY), under + (x - meanX) ** 2],
    [0, 0],
  )
  return under > 0 ? over / under : 0
}
