import { lengths, type Ratio } from '../bench.ts'
import { proveLedger } from '../databases.ts'
import { startGrownLedger } from '../growth/grown-ledger.ts'
import { inTurns } from '../rounds.ts'
import { loadTransfers, medianLatency, notesOf, startLedger } from '../transfer-load.ts'

const ENTRIES = 10_000_000
const ENTRIES_QUICK = 200_000

/** Transfers in a ledger with ten million entries, against the same transfers in a ledger that begins
 * empty. */
export const growth: Ratio = {
  id: 'growth',
  needs: ['wrk'],
  async run(bench) {
    const { rounds: count } = lengths(bench)
    const { databases, customers, entries } = await startGrownLedger(
      bench,
      bench.isQuick ? ENTRIES_QUICK : ENTRIES,
    )
    const empty = await startLedger(bench)
    // Both publish to the same Broker.
    const grown = { databases, customers, broker: empty.broker }
    const rounds = await inTurns(
      count,
      (round) => {
        bench.progress.step(`growth: round ${round + 1} of ${count}, the grown ledger`)
        return loadTransfers(bench, grown)
      },
      () => {
        bench.progress.step('growth: the ledger that was empty')
        return loadTransfers(bench, empty)
      },
    )
    await proveLedger(bench, empty.databases)
    await proveLedger(bench, grown.databases)
    return [
      {
        id: 'growth',
        name: 'Ten million entries : an empty ledger',
        unit: 'per second',
        goal: { ratio: 0.9, better: 'higher' },
        rounds: rounds.map(({ ours, floor }) => ({ ours: ours.perSecond, floor: floor.perSecond })),
        latency: medianLatency(rounds.map(({ ours }) => ours)),
        notes: [
          `${entries.toLocaleString('en')} entries before the first round`,
          ...notesOf(rounds.map(({ ours }) => ours)),
        ],
      },
    ]
  },
}
