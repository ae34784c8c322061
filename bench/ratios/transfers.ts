import { join } from 'node:path'
import { lengths, type Bench, type Ratio } from '../bench.ts'
import { proveLedger, settle } from '../databases.ts'
import { load } from '../load.ts'
import { preparePgbench } from '../pgbench.ts'
import { startServer } from '../processes.ts'
import { inTurns, type Measurement } from '../rounds.ts'
import {
  CONNECTIONS,
  loadTransfers,
  medianLatency,
  notesOf,
  startLedger,
  type LoadedLedger,
} from '../transfer-load.ts'

/** Transfers over HTTP through the function as it ships, against pgbench's TPC-B on the same Postgres. */
export const transfers: Ratio = {
  id: 'transfers',
  needs: ['pgbench', 'wrk'],
  async run(bench) {
    const { rounds: count, seconds } = lengths(bench)
    const ledger = await startLedger(bench)
    const pgbench = await preparePgbench(bench, ledger.databases)

    const floor = async (): Promise<number> => {
      bench.progress.step('transfers: pgbench')
      await settle(ledger.databases)
      return pgbench.run(seconds)
    }
    const rounds = await inTurns(
      count,
      (round) => {
        bench.progress.step(`transfers: round ${round + 1} of ${count}, over HTTP`)
        return loadTransfers(bench, ledger)
      },
      floor,
    )
    await proveLedger(bench, ledger.databases)
    const reports = rounds.map(({ ours }) => ours)
    const measured: Measurement = {
      id: 'transfers',
      name: 'Burst straight at the function : TPC-B',
      unit: 'per second',
      goal: { ratio: 4, better: 'higher' },
      rounds: rounds.map(({ ours, floor }) => ({ ours: ours.perSecond, floor })),
      latency: medianLatency(reports),
      notes: [`${CONNECTIONS} connections`, ...notesOf(reports)],
    }
    return bench.withPeer ? [measured, await peer(bench, ledger, floor)] : [measured]
  },
}

/** Measures what one would build without microbank, on 64 connections; see programs/peer.ts. Its tables are
 * not proved. */
async function peer(
  bench: Bench,
  { databases, customers }: LoadedLedger,
  floor: () => Promise<number>,
): Promise<Measurement> {
  const { rounds: count, seconds, warmupSeconds } = lengths(bench)
  const accounts = { from: 1, to: customers.length * 10 }
  const server = await startServer(bench, {
    script: join(bench.folder, 'peer.cjs'),
    env: { DATABASE_URL: databases.server.superuserUrl, ACCOUNTS: String(accounts.to) },
  })
  const rounds = await inTurns(
    count,
    async (round) => {
      bench.progress.step(`transfers: round ${round + 1} of ${count}, the peer`)
      await settle(databases)
      return load(bench, {
        url: `${server.url}/transfers`,
        connections: 64,
        warmupSeconds,
        seconds,
        numbered: accounts,
      })
    },
    floor,
  )
  return {
    id: 'peer',
    name: 'Express, SELECT FOR UPDATE : TPC-B',
    unit: 'per second',
    goal: null,
    rounds: rounds.map(({ ours, floor }) => ({ ours: ours.perSecond, floor })),
    latency: rounds[0]!.ours.latency,
  }
}
