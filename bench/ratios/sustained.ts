import type { Bench, Ratio } from '../bench.ts'
import { proveLedger, settle, startDatabases } from '../databases.ts'
import { preparePgbench, type Pgbench } from '../pgbench.ts'
import { createRateControl } from '../rate-control.ts'
import { figure } from '../table.ts'
import { median } from '../rounds.ts'
import { holdRate, searchRate, type SteadyTarget } from '../steady-rate.ts'
import { CONNECTIONS } from '../transfer-load.ts'
import { startTransferPath, type TransferPath } from '../transfer-path.ts'

const START_PER_SECOND = 400

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
    const target: SteadyTarget = {
      ...{ id: 'sustained', databases, customers: path.customers },
      url: `${path.transfer.url}/transactions`,
      connections: CONNECTIONS,
    }

    const floors = [await floorOf(bench, path, pgbench)]
    const latencyMs = await searchRate(bench, target, control)
    await settle(databases)
    const held = await holdRate(bench, target, control, { seconds, stepSeconds, latencyMs })
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
