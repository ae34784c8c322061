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
  /** Number of events that were stored but not published when the load ended. */
  unpublished: number
}

/** Sends transfers as fast as the function takes them. The function runs in a fresh process that is killed at
 * the end. With `batchOf`, each request holds that many transfers, and there are fewer connections.
 *
 * Throws unless the ledger holds exactly the answered transfers, and at most those besides whose answers the
 * end of the load cut off. */
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
  // The load has two parts, warm-up and measurement. Each cuts off the requests under way, one per
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

/** Returns the median over the rounds of each percentile. */
export const medianLatency = (reports: readonly LoadReport[]): Latency => ({
  p50: median(reports.map(({ latency }) => latency.p50)),
  p99: median(reports.map(({ latency }) => latency.p99)),
  p999: median(reports.map(({ latency }) => latency.p999)),
})

/** Returns notes about the rounds. Each answer was one of `size` transfers. */
export const notesOf = (reports: readonly TransferReport[], size = 1): string[] => [
  `at the end of a round ${median(reports.map(({ unpublished }) => unpublished)).toLocaleString('en')} events still had to be published`,
  ...processorTimeNote(
    reports.map(({ processorTime }) => processorTime),
    size,
  ),
]
