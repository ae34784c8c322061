import { keyPrefix, startBroker, startFunction, type BenchBroker } from './bank.ts'
import { lengths, type Bench } from './bench.ts'
import { forgetEvents, openAccounts, type Customer } from './customers.ts'
import { settle, startDatabases, type BenchDatabases } from './databases.ts'
import type { Latency } from './latency.ts'
import { load, type LoadReport } from './load.ts'
import { processorTimeNote } from './processor-time.ts'
import { median } from './rounds.ts'

export const CONNECTIONS = 128
export const BATCH_CONNECTIONS = 16

/** A ledger with 10,000 accounts, and the Broker that it publishes to. */
export interface LoadedLedger {
  databases: BenchDatabases
  broker: BenchBroker
  customers: Customer[]
}

export async function startLedger(bench: Bench): Promise<LoadedLedger> {
  const databases = await startDatabases(bench)
  const broker = await startBroker(bench, databases)
  return { databases, broker, customers: await openAccounts(bench, databases) }
}

export interface TransferReport extends LoadReport {
  /** Events that were stored and not yet published when the load ended. */
  unpublished: number
}

/** Transfers as fast as the function takes them, in a process that has just been started and that is killed
 * at the end; with `batchOf`, so many in each request, on fewer connections. Throws where the ledger doesn't
 * hold just the transfers that were answered (and, at the most, those whose answers the end of the load cut
 * off). */
export async function loadTransfers(
  bench: Bench,
  { databases, broker, customers }: LoadedLedger,
  { toAccount, batchOf }: { toAccount?: string; batchOf?: number } = {},
): Promise<TransferReport> {
  const { seconds, warmupSeconds } = lengths(bench)
  await settle(databases)
  const before = await countTransactions(databases)
  const [name, path] = batchOf ? ['post-batch', '/transactions/batch'] : ['transfer', '/transactions']
  const connections = batchOf ? BATCH_CONNECTIONS : CONNECTIONS
  const running = await startFunction(bench, databases, { name, brokerUrl: broker.url })
  const report = await load(bench, {
    url: running.url + path,
    connections,
    warmupSeconds,
    seconds,
    transfers: {
      customers,
      keyPrefix: keyPrefix(),
      ...(toAccount && { toAccount }),
      ...(batchOf && { batchOf }),
    },
  })
  await running.kill()
  const posted = (await countTransactions(databases)) - before
  // Each of the two parts of the load, warm-up and measurement, cuts off what is under way on each
  // connection.
  const size = batchOf ?? 1
  const answered = report.succeeded * size
  if (posted < answered || posted > answered + 2 * connections * size)
    throw new Error(`THE LEDGER IS WRONG: ${answered} transfers were answered, ${posted} were posted`)
  return { ...report, unpublished: await forgetEvents(databases) }
}

async function countTransactions({ owner }: BenchDatabases): Promise<number> {
  const [row] = await owner.query<{ count: bigint }>({ text: 'select count(*) from transactions' })
  return Number(row!.count)
}

/** Of each percentile the median over the rounds. */
export const medianLatency = (reports: readonly TransferReport[]): Latency => ({
  p50: median(reports.map(({ latency }) => latency.p50)),
  p99: median(reports.map(({ latency }) => latency.p99)),
  p999: median(reports.map(({ latency }) => latency.p999)),
})

/** What else is known of the rounds, of which each answer was one of `size` transfers. */
export const notesOf = (reports: readonly TransferReport[], size = 1): string[] => [
  `at the end of a round ${median(reports.map(({ unpublished }) => unpublished)).toLocaleString('en')} events still had to be published`,
  ...processorTimeNote(
    reports.map(({ processorTime }) => processorTime),
    size,
  ),
]
