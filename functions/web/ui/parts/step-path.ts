/** The balance after an entry. */
export interface BalancePoint {
  /** Milliseconds since 1970. */
  at: number
  /** Minor units. */
  balance: bigint
}

export interface StepPath {
  /** The path of the line, and of the area between it and zero, for `<path d>`. */
  line: string
  area: string
  /** The height of zero. */
  zero: number
  lowest: bigint
  highest: bigint
}

/** Draws balances as steps into a box of `width` and `height`, from the first point to `until`. Zero is
 * always in the picture, so the area is to scale. `points` are in the order of time, and not empty. */
export function stepPath(
  points: readonly BalancePoint[],
  until: number,
  { width, height }: { width: number; height: number },
): StepPath {
  const balances = points.map(({ balance }) => balance)
  const lowest = balances.reduce((a, b) => (b < a ? b : a))
  const highest = balances.reduce((a, b) => (b > a ? b : a))
  const [bottom, top] = [lowest < 0n ? lowest : 0n, highest > 0n ? highest : 0n]
  const since = points[0]!.at
  const x = (at: number): number => round(until > since ? ((at - since) / (until - since)) * width : 0)
  // Only where something is drawn may an amount become a number.
  const y = (balance: bigint): number =>
    round(
      top > bottom
        ? height - (Number(((balance - bottom) * 10_000n) / (top - bottom)) / 10_000) * height
        : height,
    )
  const steps = points.map(({ at, balance }, n) => (n === 0 ? `V${y(balance)}` : `H${x(at)}V${y(balance)}`))
  const path = `${steps.join('')}H${width}`
  const zero = y(0n)
  return { line: `M0 ${y(balances[0]!)}${path}`, area: `M0 ${zero}${path}V${zero}Z`, zero, lowest, highest }
}

const round = (value: number): number => Math.round(value * 100) / 100
