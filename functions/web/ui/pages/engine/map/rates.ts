import { useEffect, useState } from 'react'
import { onDelivered } from '../../../data/platform-stream.ts'

/** Milliseconds over which a rate is counted, and after which it is looked at again. */
const OVER_MS = 2_000
const EVERY_MS = 1_000

/** Events that each Trigger delivers a second, as far as it delivers any. */
export function useRates(): ReadonlyMap<string, number> {
  const [rates, setRates] = useState<ReadonlyMap<string, number>>(new Map())
  useEffect(() => {
    let seen: { at: number; trigger: string; count: number }[] = []
    let timer: ReturnType<typeof setTimeout> | undefined
    const look = (): void => {
      const since = performance.now() - OVER_MS
      seen = seen.filter(({ at }) => at > since)
      const byTrigger = Map.groupBy(seen, ({ trigger }) => trigger)
      const perSecond = (all: typeof seen): number =>
        Math.ceil(all.reduce((sum, { count }) => sum + count, 0) / (OVER_MS / 1000))
      setRates(new Map([...byTrigger].map(([trigger, all]) => [trigger, perSecond(all)])))
      timer = seen.length > 0 ? setTimeout(look, EVERY_MS) : undefined
    }
    const stop = onDelivered((deliveries) => {
      const at = performance.now()
      seen.push(...deliveries.map((each) => ({ ...each, at })))
      timer ??= setTimeout(look, 0)
    })
    return () => {
      stop()
      clearTimeout(timer)
    }
  }, [])
  return rates
}
