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
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const due = Math.min(total, Math.floor(((performance.now() - startedAt) / 1000) * perSecond))
      while (calls.length < due) calls.push(send(calls.length))
      if (calls.length < total) return
      clearInterval(timer)
      resolve()
    }, 1)
  })
  await Promise.all(calls)
}
