import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startCollector, startFunction } from '../bank.ts'
import { lengths, type Ratio } from '../bench.ts'
import { openAccounts } from '../customers.ts'
import { startDatabases } from '../databases.ts'
import { startServer, usageOf, type ServerProcess } from '../processes.ts'
import { inTurns, median } from '../rounds.ts'
import { figure } from '../table.ts'

const MEGABYTE = 1024 * 1024
/** Time after the start, in ms, by which a function has done all that it does by itself: a sweep, loading its
 * metrics, sending its first span. */
const IDLE_MS = 3_000
/** The same for a function that reports: the first report comes after ten seconds. */
const REPORTED_MS = 12_000

/** Memory of a function that has started and waits, against bare Node that waits; without traces, after
 * one trace was sent, and after one report. */
export const memory: Ratio = {
  id: 'memory',
  needs: [],
  async run(bench) {
    const { rounds: count } = lengths(bench)
    const databases = await startDatabases(bench)
    const [customer] = await openAccounts(bench, databases, 10)

    const collector = await startCollector(bench)
    const accounts = { path: '/accounts', headers: { authorization: `Bearer ${customer!.token}` } }

    const measure = async (
      started: Promise<ServerProcess>,
      then?: string,
      idleMs = IDLE_MS,
    ): Promise<number> => {
      const server = await started
      if (then) await fetch(server.url + then)
      await delay(idleMs)
      const { rssBytes } = usageOf(server.pid)
      await server.kill()
      return rssBytes / MEGABYTE
    }
    const bare = (): Promise<number> =>
      measure(startServer(bench, { script: join(bench.folder, 'bare.cjs'), env: {} }))
    // A request without a token is refused and traced like any other, but needs neither the token library nor
    // the database.
    const traced = (): Promise<number> =>
      measure(startFunction(bench, databases, { name: 'accounts', collectorUrl: collector.url }), '/accounts')
    const reporting = (): Promise<number> => {
      const started = startFunction(bench, databases, { name: 'accounts', meterUrl: collector.url })
      return measure(started, '/accounts', bench.isQuick ? IDLE_MS : REPORTED_MS)
    }
    const used = async (collectorUrl?: string): Promise<string> => {
      const options = { name: 'accounts', collectorUrl, firstRequest: accounts }
      const sizes: number[] = []
      for (let n = 0; n < Math.min(count, 3); n++)
        sizes.push(await measure(startFunction(bench, databases, options)))
      return figure(median(sizes))
    }
    const rounds = await inTurns(
      count,
      (round) => {
        bench.progress.step(`memory: round ${round + 1} of ${count}`)
        return measure(startFunction(bench, databases, { name: 'accounts' }))
      },
      bare,
    )
    const tracedRounds = await inTurns(
      count,
      (round) => {
        bench.progress.step(`memory: with traces, round ${round + 1} of ${count}`)
        return traced()
      },
      bare,
    )
    const reportingRounds = await inTurns(
      count,
      (round) => {
        bench.progress.step(`memory: reporting, round ${round + 1} of ${count}`)
        return reporting()
      },
      bare,
    )
    return [
      {
        id: 'memory',
        name: 'Memory of an idle function : of Node',
        unit: 'MB RSS',
        goal: { ratio: 1.15, better: 'lower' },
        rounds,
        notes: [`after one GET /accounts, with token library and metrics loaded: ${await used()} MB`],
      },
      {
        id: 'memory-traced',
        name: 'Memory with traces : of Node',
        unit: 'MB RSS',
        goal: { ratio: 1.3, better: 'lower' },
        rounds: tracedRounds,
        notes: [
          `after one request that was refused, with metrics and what exports traces loaded; after one GET /accounts that is answered: ${await used(collector.url)} MB`,
        ],
      },
      {
        id: 'memory-reporting',
        name: 'Memory, reporting what it counts : of Node',
        unit: 'MB RSS',
        goal: { ratio: 1.15, better: 'lower' },
        rounds: reportingRounds,
        notes: ['after one request that was refused, and the report of it'],
      },
    ]
  },
}
