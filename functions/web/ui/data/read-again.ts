/** Waits between readings of what goes on: each is half as long again as the one before it. */
const AGAIN = { firstMs: 1_000, mostMs: 20_000, readings: 15 }

/** Returns the milliseconds until what was read so many times is read again: soon at first, then rarely, and
 * after some two minutes never. Each reading by an operator is in the audit, so a page must not read all day.
 * A tab that nobody sees reads nothing. */
export const readAgainMs = (readings: number): number | false =>
  readings >= AGAIN.readings
    ? false
    : Math.min(AGAIN.firstMs * 1.5 ** Math.max(0, readings - 1), AGAIN.mostMs)
