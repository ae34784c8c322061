import { keyPrefix, startBroker, startFunction } from '../bank.ts'
import { lengths, type Ratio } from '../bench.ts'
import { forgetEvents, openAccounts, transferOf, type Customer } from '../customers.ts'
import { proveLedger, settle, startDatabases } from '../databases.ts'
import { postTransactions } from '../../functions/ledger/posting/post.ts'
import type { Database } from '../../functions/host/database/database.ts'
import { percentiles, type Latency } from '../latency.ts'
import { load } from '../load.ts'
import { inTurns } from '../rounds.ts'

/** One transfer after the other over HTTP, with no other load, against the one SQL call that a transfer
 * makes. */
export const loneRequest: Ratio = {
  id: 'lone-request',
  needs: ['wrk'],
  async run(bench) {
    const { rounds: count, warmupSeconds } = lengths(bench)
    const seconds = bench.isQuick ? 2 : 4
    const databases = await startDatabases(bench)
    const broker = await startBroker(bench, databases)
    const customers = await openAccounts(bench, databases)
    const rounds = await inTurns(
      count,
      async (round) => {
        bench.progress.step(`lone-request: round ${round + 1} of ${count}`)
        await settle(databases)
        const transfer = await startFunction(bench, databases, { name: 'transfer', brokerUrl: broker.url })
        const { latency } = await load(bench, {
          url: `${transfer.url}/transactions`,
          connections: 1,
          warmupSeconds,
          seconds,
          transfers: { customers, keyPrefix: keyPrefix() },
        })
        await transfer.kill()
        await forgetEvents(databases)
        return latency
      },
      async () => {
        await settle(databases)
        await postOneByOne(databases.ledger, customers, warmupSeconds)
        const latency = await postOneByOne(databases.ledger, customers, seconds)
        await forgetEvents(databases)
        return latency
      },
    )
    await proveLedger(bench, databases)
    return [
      {
        id: 'lone-request',
        name: 'Lone transfer at the function : its SQL call',
        unit: 'ms (p50)',
        goal: { ratio: 1.5, better: 'lower' },
        rounds: rounds.map(({ ours, floor }) => ({ ours: ours.p50, floor: floor.p50 })),
        latency: rounds[rounds.length >> 1]!.ours,
      },
    ]
  },
}

async function postOneByOne(ledger: Database, customers: Customer[], seconds: number): Promise<Latency> {
  const latencies: number[] = []
  const end = performance.now() + seconds * 1000
  for (let n = 0; performance.now() < end; n++) {
    const { userId, accounts } = customers[n % customers.length]!
    const request = transferOf(userId, accounts[n % 10]!, accounts[(n + 1) % 10]!)
    const before = performance.now()
    const { outcomes } = await postTransactions(ledger, [request])
    latencies.push(performance.now() - before)
    if (outcomes[0]!.outcome !== 'posted') throw new Error(`a transfer was refused: ${outcomes[0]!.outcome}`)
  }
  return percentiles(latencies)
}
