import { keyPrefix, startBroker, startFunction, type BenchBroker } from './bank.ts'
import { lengths, type Bench } from './bench.ts'
import { forgetEvents, openAccounts, type Customer } from './customers.ts'
import { settle, startDatabases, type BenchDatabases } from './databases.ts'
import { load, type LoadReport } from './load.ts'

export const CONNECTIONS = 128

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

/** Transfers as fast as the function takes them, in a process that has just been started and that is killed at the
 * end. Throws where the ledger doesn't hold just the transfers that were answered (and, at the most, those whose
 * answers the end of the load cut off). */
export async function loadTransfers(
  bench: Bench,
  { databases, broker, customers }: LoadedLedger,
  { toAccount }: { toAccount?: string } = {},
): Promise<TransferReport> {
  const { seconds, warmupSeconds } = lengths(bench)
  await settle(databases)
  const before = await countTransactions(databases)
  const transfer = await startFunction(bench, databases, { name: 'transfer', brokerUrl: broker.url })
  const report = await load(bench, {
    url: `${transfer.url}/transactions`,
    connections: CONNECTIONS,
    warmupSeconds,
    seconds,
    transfers: { customers, keyPrefix: keyPrefix(), ...(toAccount && { toAccount }) },
  })
  await transfer.kill()
  const posted = (await countTransactions(databases)) - before
  // Each of the two parts of the load, warm-up and measurement, cuts off what is under way on each connection.
  if (posted < report.succeeded || posted > report.succeeded + 2 * CONNECTIONS)
    throw new Error(`THE LEDGER IS WRONG: ${report.succeeded} transfers were answered, ${posted} were posted`)
  return { ...report, unpublished: await forgetEvents(databases) }
}

async function countTransactions({ owner }: BenchDatabases): Promise<number> {
  const [row] = await owner.query<{ count: bigint }>({ text: 'select count(*) from transactions' })
  return Number(row!.count)
}
