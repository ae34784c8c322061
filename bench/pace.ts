import { setTimeout as delay } from 'node:timers/promises'

/** Calls `send` at an even rate, even if earlier calls have not ended: the load of many callers who don't
 * know of each other. Resolves when all calls have ended; rejects if one did.
 *
 * The rate limit of a load generator would send each second's calls at once, and so measure the queue that
 * it makes itself. */
export async function pace(
  perSecond: number,
  seconds: number,
  send: (n: number) => Promise<void>,
): Promise<void> {
  const calls: Promise<void>[] = []
  const total = perSecond * seconds
  const startedAt = performance.now()
  for (;;) {
    const due = Math.min(total, Math.floor(((performance.now() - startedAt) / 1000) * perSecond))
    while (calls.length < due) calls.push(send(calls.length))
    if (calls.length >= total) break
    // Until the next call is due. A timer that fires more often would cost more than what is measured.
    const dueAt = startedAt + ((calls.length + 1) / perSecond) * 1000
    await delay(Math.max(1, Math.ceil(dueAt - performance.now())))
  }
  await Promise.all(calls)
}
