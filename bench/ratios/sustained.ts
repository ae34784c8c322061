import { keyPrefix } from '../bank.ts'
import type { Bench, Ratio } from '../bench.ts'
import { proveLedger, settle, startDatabases } from '../databases.ts'
import { watchDelivery, type DeliveryWatch } from '../delivery.ts'
import { load, pauseFor } from '../load.ts'
import { preparePgbench, type Pgbench } from '../pgbench.ts'
import { createRateControl, type RateControl, type RateStep } from '../rate-control.ts'
import { figure } from '../table.ts'
import { median } from '../rounds.ts'
import { CONNECTIONS } from '../transfer-load.ts'
import { startTransferPath, type TransferPath } from '../transfer-path.ts'

const START_PER_SECOND = 400
/** The search ends by itself before; this is for a machine that is disturbed. */
const SEARCH_STEPS_MAX = 25

/** Transfers for three minutes at the greatest rate at which events don't pile up, against TPC-B. A transfer
 * whose event still waits at the end of the three minutes doesn't count. */
export const sustained: Ratio = {
  id: 'sustained',
  needs: ['pgbench', 'rabbitmq-server', 'wrk'],
  async run(bench) {
    const [seconds, stepSeconds] = bench.isQuick ? [20, 2] : [180, 5]
    const databases = await startDatabases(bench)
    const pgbench = await preparePgbench(bench, databases)
    const path = await startTransferPath(bench, databases)
    const control = createRateControl(START_PER_SECOND)

    const floors = [await floorOf(bench, path, pgbench)]
    const latencyMs = await search(bench, path, control)
    await settle(databases)
    const held = await hold(bench, path, control, { seconds, stepSeconds, latencyMs })
    floors.push(await floorOf(bench, path, pgbench))
    await proveLedger(bench, databases)

    const backlogs = held.steps.map(({ backlog }) => backlog)
    return [
      {
        id: 'sustained',
        name: `Sustained for ${seconds} s, events delivered : TPC-B`,
        unit: 'per second',
        goal: { ratio: 1.5, better: 'higher' },
        // The floor is measured before and after.
        rounds: [{ ours: held.perSecond, floor: median(floors) }],
        notes: [
          `${figure(held.count)} transfers on ${CONNECTIONS} connections, every notification stored ${figure(held.drainMs / 1000)} s after the last`,
          `events that waited, every ${stepSeconds} s: median ${figure(median(backlogs))}, at the most ${figure(Math.max(...backlogs))}, at the end ${figure(backlogs.at(-1)!)}`,
        ],
      },
    ]
  },
}

async function floorOf(bench: Bench, { databases }: TransferPath, pgbench: Pgbench): Promise<number> {
  bench.progress.step('sustained: pgbench')
  await settle(databases)
  return pgbench.run(bench.isQuick ? 2 : 8)
}

/** Raises the rate in short steps until events pile up, and waits until all are delivered. Resolves with the
 * latency of the last step. */
async function search(bench: Bench, path: TransferPath, control: RateControl): Promise<number> {
  const watch = await watchDelivery(path.databases)
  let latencyMs = 0
  for (let n = 0; n < SEARCH_STEPS_MAX && !control.hasFound; n++) {
    bench.progress.step(`sustained: trying ${Math.round(control.perSecond)} a second`)
    const taken = await step(bench, path, watch, { perSecond: control.perSecond, latencyMs, seconds: 2 })
    control.note(taken)
    latencyMs = taken.latencyMs
  }
  await watch.untilDelivered()
  return latencyMs
}

/** Holds the rate, and corrects it where events pile up. Throws if a notification is missing at the end. */
async function hold(
  bench: Bench,
  path: TransferPath,
  control: RateControl,
  { seconds, stepSeconds, ...before }: { seconds: number; stepSeconds: number; latencyMs: number },
) {
  const watch = await watchDelivery(path.databases)
  const startedAt = performance.now()
  const elapsed = (): number => (performance.now() - startedAt) / 1000
  const steps: RateStep[] = []
  let { latencyMs } = before
  while (elapsed() < seconds) {
    const { perSecond } = control
    bench.progress.step(
      `sustained: ${Math.round(elapsed())} of ${seconds} s, ${Math.round(perSecond)} a second`,
    )
    const taken = await step(bench, path, watch, { perSecond, latencyMs, seconds: stepSeconds })
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
  { transfer, customers }: TransferPath,
  watch: DeliveryWatch,
  { perSecond, latencyMs, seconds }: { perSecond: number; latencyMs: number; seconds: number },
): Promise<RateStep & { latencyMs: number }> {
  const pauseMs = pauseFor(CONNECTIONS, perSecond, latencyMs)
  const report = await load(bench, {
    url: `${transfer.url}/transactions`,
    connections: CONNECTIONS,
    warmupSeconds: 0,
    seconds,
    pauseMs,
    transfers: { customers, keyPrefix: keyPrefix() },
  })
  const backlog = await watch.pending()
  return {
    ...{ reached: report.perSecond, backlog, seconds, isFull: pauseMs === 0 },
    latencyMs: report.latency.p50,
  }
}
