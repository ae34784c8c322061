import { keyPrefix } from './bank.ts'
import type { Bench } from './bench.ts'
import type { Customer } from './customers.ts'
import type { BenchDatabases } from './databases.ts'
import { watchDelivery, type DeliveryWatch } from './delivery.ts'
import { load, pauseFor } from './load.ts'
import type { RateControl, RateStep } from './rate-control.ts'

/** What transfers are sent to at a steady rate. */
export interface SteadyTarget {
  /** Of what is measured, for the progress. */
  id: string
  url: string
  connections: number
  databases: BenchDatabases
  customers: Customer[]
}

/** A load that was held. */
export interface HeldRate {
  /** Transfers whose event was published while the load lasted, a second. */
  perSecond: number
  /** Transfers posted. */
  count: number
  /** Time from the end of the load until every notification was stored, in ms. */
  drainMs: number
  steps: RateStep[]
}

/** The search ends by itself before; this is for a machine that is disturbed. */
const SEARCH_STEPS_MAX = 25

/** Raises the rate in short steps until events pile up, and waits until all are delivered. Resolves with the
 * latency of the last step. */
export async function searchRate(bench: Bench, target: SteadyTarget, control: RateControl): Promise<number> {
  const watch = await watchDelivery(target.databases)
  let latencyMs = 0
  for (let n = 0; n < SEARCH_STEPS_MAX && !control.hasFound; n++) {
    bench.progress.step(`${target.id}: trying ${Math.round(control.perSecond)} a second`)
    const taken = await step(bench, target, watch, { perSecond: control.perSecond, latencyMs, seconds: 2 })
    control.note(taken)
    latencyMs = taken.latencyMs
  }
  await watch.untilDelivered()
  return latencyMs
}

/** Holds the rate, and corrects it where events pile up. Throws if a notification is missing at the end. */
export async function holdRate(
  bench: Bench,
  target: SteadyTarget,
  control: RateControl,
  { seconds, stepSeconds, ...before }: { seconds: number; stepSeconds: number; latencyMs: number },
): Promise<HeldRate> {
  const watch = await watchDelivery(target.databases)
  const startedAt = performance.now()
  const elapsed = (): number => (performance.now() - startedAt) / 1000
  const steps: RateStep[] = []
  let { latencyMs } = before
  while (elapsed() < seconds) {
    const { perSecond } = control
    bench.progress.step(
      `${target.id}: ${Math.round(elapsed())} of ${seconds} s, ${Math.round(perSecond)} a second`,
    )
    const taken = await step(bench, target, watch, { perSecond, latencyMs, seconds: stepSeconds })
    control.note(taken)
    latencyMs = taken.latencyMs
    steps.push(taken)
  }
  const loadSeconds = elapsed()
  const { count, drainMs } = await watch.untilDelivered()
  return { perSecond: (count - steps.at(-1)!.backlog) / loadSeconds, count, drainMs, steps }
}

async function step(
  bench: Bench,
  { url, connections, customers }: SteadyTarget,
  watch: DeliveryWatch,
  { perSecond, latencyMs, seconds }: { perSecond: number; latencyMs: number; seconds: number },
): Promise<RateStep & { latencyMs: number }> {
  const pauseMs = pauseFor(connections, perSecond, latencyMs)
  const report = await load(bench, {
    ...{ url, connections, seconds, pauseMs },
    warmupSeconds: 0,
    transfers: { customers, keyPrefix: keyPrefix() },
  })
  const backlog = await watch.pending()
  return {
    ...{ reached: report.perSecond, backlog, seconds, isFull: pauseMs === 0 },
    latencyMs: report.latency.p50,
  }
}
