import { takeStep } from '../../functions/ledger/stops/sweep-checks.ts'
import { lengths, type Bench, type Ratio } from '../bench.ts'
import { proveLedger, settle, type BenchDatabases } from '../databases.ts'
import { startGrownLedger } from '../growth/grown-ledger.ts'
import { usageOf } from '../processes.ts'
import { median, type Measurement } from '../rounds.ts'
import { loadTransfers, startLedger, type LoadedLedger } from '../transfer-load.ts'

const ENTRIES = 10_000_000
const ENTRIES_QUICK = 200_000

/** Processor time of checking a transfer, against that of posting it: in a ledger that begins empty, and in
 * one with ten million entries. */
export const guard: Ratio = {
  id: 'guard',
  needs: ['wrk'],
  async run(bench) {
    const empty = await startLedger(bench)
    const wanted = bench.isQuick ? ENTRIES_QUICK : ENTRIES
    const { databases, customers } = await startGrownLedger(bench, wanted)
    // Both publish to the same Broker.
    const grown = { databases, customers, broker: empty.broker }
    return [
      await measure(bench, empty, { id: 'guard', name: 'Check of a transfer : its posting' }),
      await measure(bench, grown, {
        id: 'guard-grown',
        name: 'Check of a transfer : its posting, 10 M entries',
      }),
    ]
  },
}

async function measure(
  bench: Bench,
  ledger: LoadedLedger,
  named: Pick<Measurement, 'id' | 'name'>,
): Promise<Measurement> {
  const { rounds: count } = lengths(bench)
  const rounds: { ours: number; floor: number }[] = []
  const idle: number[] = []
  await checkChanges(ledger.databases)
  for (let round = 0; round < count; round++) {
    bench.progress.step(`${named.id}: round ${round + 1} of ${count}`)
    const { processorTime } = await loadTransfers(bench, ledger)
    await settle(ledger.databases)
    const { entries, seconds } = await checkChanges(ledger.databases)
    if (entries === 0) throw new Error('expected entries to check after a load, got none')
    const { wrk: _, ...posting } = processorTime
    rounds.push({
      // A transfer has two entries.
      ours: (seconds / entries) * 2 * 1e6,
      floor: Object.values(posting).reduce((sum, used) => sum + used, 0) * 1e6,
    })
    idle.push((await checkChanges(ledger.databases)).seconds)
  }
  await proveLedger(bench, ledger.databases)
  return {
    ...named,
    unit: 'µs CPU/transfer',
    goal: { ratio: 0.15, better: 'lower' },
    rounds,
    notes: [`a sweep of 10,000 accounts that has nothing to check takes ${ms(median(idle))} ms`],
  }
}

/** Checks what has changed, as sweep-ledger does, to its end. Returns the number of entries, and the seconds
 * of processor time of the connections that did it. */
async function checkChanges({ ledger }: BenchDatabases): Promise<{ entries: number; seconds: number }> {
  let seconds = 0
  let hasEnded: boolean | null
  do {
    hasEnded = await ledger.transaction(async (tx) => {
      const [connection] = await tx.query<{ pid: number }>({ text: 'select pg_backend_pid() as pid' })
      const before = usageOf(connection!.pid).cpuSeconds
      const { has_ended, stops } = await takeStep(tx, 'changes')
      if (stops.length > 0) throw new Error(`THE LEDGER IS WRONG: ${JSON.stringify(stops)}`)
      seconds += usageOf(connection!.pid).cpuSeconds - before
      return has_ended
    })
  } while (hasEnded === false)
  const [found] = await ledger.query<{ entries: string }>({
    text: `select figures ->> 'entries' as entries from ledger_checks where name = 'changes'`,
  })
  return { entries: Number(found!.entries), seconds }
}

const ms = (seconds: number): string => (seconds * 1000).toFixed(0)
