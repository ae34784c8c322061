import { lengths, type Ratio } from '../bench.ts'
import { proveLedger, settle } from '../databases.ts'
import { preparePgbench } from '../pgbench.ts'
import { inTurns } from '../rounds.ts'
import { BATCH_CONNECTIONS, loadTransfers, medianLatency, notesOf, startLedger } from '../transfer-load.ts'

const BATCH_OF = 100

/** Transfers in batches, one request each, against pgbench's TPC-B on the same Postgres. */
export const batch: Ratio = {
  id: 'batch',
  needs: ['pgbench', 'wrk'],
  async run(bench) {
    const { rounds: count, seconds } = lengths(bench)
    const ledger = await startLedger(bench)
    const pgbench = await preparePgbench(bench, ledger.databases)
    const rounds = await inTurns(
      count,
      (round) => {
        bench.progress.step(`batch: round ${round + 1} of ${count}, over HTTP`)
        return loadTransfers(bench, ledger, { batchOf: BATCH_OF })
      },
      async () => {
        bench.progress.step('batch: pgbench')
        await settle(ledger.databases)
        return pgbench.run(seconds)
      },
    )
    await proveLedger(bench, ledger.databases)
    const reports = rounds.map(({ ours }) => ours)
    return [
      {
        id: 'batch',
        name: `Burst in batches of ${BATCH_OF} : TPC-B`,
        unit: 'per second',
        goal: { ratio: 10, better: 'higher' },
        rounds: rounds.map(({ ours, floor }) => ({ ours: ours.perSecond * BATCH_OF, floor })),
        // Latency of a whole batch.
        latency: medianLatency(reports),
        notes: [`batches of ${BATCH_OF} on ${BATCH_CONNECTIONS} connections`, ...notesOf(reports, BATCH_OF)],
      },
    ]
  },
}
