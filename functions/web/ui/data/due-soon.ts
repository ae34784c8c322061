/** What is due within this time is looked at again this often, in milliseconds. */
const SOON = { dueMs: 60_000, everyMs: 2_000 } as const

/** Returns how soon to look again, in milliseconds; false if nothing changes by itself before long. */
export const lookAgainAt = (
  deliveries: readonly { next_attempt_at: string | null }[],
  now: number,
): number | false =>
  deliveries.some(({ next_attempt_at: at }) => at !== null && Date.parse(at) < now + SOON.dueMs) &&
  SOON.everyMs
