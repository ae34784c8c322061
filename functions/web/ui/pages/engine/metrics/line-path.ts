/** A value at each moment, or none. */
export type Course = readonly (number | null)[]

export interface Box {
  width: number
  height: number
}

/** The ends of an axis. Zero is always on it; its upper end is 1, 2, 2.5 or 5 times a power of ten. */
export function axisFor(courses: readonly Course[]): { bottom: number; top: number } {
  const values = courses.flat().filter((value) => value !== null)
  const [lowest, highest] = values.reduce<[number, number]>(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
    [0, 0],
  )
  return {
    bottom: lowest < 0 ? -round125(-lowest) : 0,
    top: highest > 0 ? round125(highest) : lowest < 0 ? 0 : 1,
  }
}

function round125(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  const part = value / power
  return power * ([1, 2, 2.5, 5].find((step) => part <= step * (1 + 1e-9)) ?? 10)
}

/** The line of a course, for `<path d>`. It breaks where there is no value. */
export function linePath(course: Course, { bottom, top }: { bottom: number; top: number }, box: Box): string {
  const step = course.length > 1 ? box.width / (course.length - 1) : 0
  let isBroken = true
  const parts = course.map((value, n) => {
    if (value === null) {
      isBroken = true
      return ''
    }
    const x = round(n * step)
    const y = round(box.height - ((value - bottom) / (top - bottom)) * box.height)
    // A point alone is a line of no length, which round ends make visible.
    const part = isBroken ? `M${x} ${y}h0` : `L${x} ${y}`
    isBroken = false
    return part
  })
  return parts.join('')
}

const round = (value: number): number => Math.round(value * 10) / 10

/** Returns how many observations each bucket got at each moment, from counts that include all lower
 * buckets. The buckets are in the order of their bounds. */
export function cellsOf(buckets: readonly { bound: number; course: Course }[]) {
  const sorted = [...buckets].sort((a, b) => a.bound - b.bound)
  return sorted.map(({ bound, course }, n) => ({
    bound,
    counts: course.map((value, at) => Math.max(0, (value ?? 0) - (sorted[n - 1]?.course[at] ?? 0))),
  }))
}
