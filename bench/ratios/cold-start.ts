import { startCollector, startFunction } from '../bank.ts'
import type { Ratio } from '../bench.ts'
import { openAccounts } from '../customers.ts'
import { startDatabases } from '../databases.ts'
import { firstAnswerOfNode } from '../processes.ts'
import { inTurns, median } from '../rounds.ts'
import { figure } from '../table.ts'

/** The time from the spawn of a function's process to its first 200, against bare Node; without traces,
 * with them, and reporting what it counts. */
export const coldStart: Ratio = {
  id: 'cold-start',
  needs: [],
  async run(bench) {
    const count = bench.isQuick ? 5 : 25
    const databases = await startDatabases(bench)
    const [customer] = await openAccounts(bench, databases, 10)

    const collector = await startCollector(bench)
    const accounts = { path: '/accounts', headers: { authorization: `Bearer ${customer!.token}` } }

    const start = async ({ isTraced = false, isQueried = false, reports = false } = {}): Promise<number> => {
      const options = {
        name: 'accounts',
        ...(isTraced && { collectorUrl: collector.url }),
        ...(reports && { meterUrl: collector.url }),
        ...(isQueried && { firstRequest: accounts }),
      }
      const server = await startFunction(bench, databases, options)
      await server.kill()
      return server.firstAnswerMs
    }
    const bare = () => firstAnswerOfNode(bench)
    const queried = async (isTraced: boolean): Promise<string> => {
      const times: number[] = []
      for (let n = 0; n < count; n++) times.push(await start({ isTraced, isQueried: true }))
      return figure(median(times))
    }
    bench.progress.step(`cold-start: ${count} starts of each`)
    // The first start of each reads its files from the disk, so it is not counted.
    await start()
    await bare()
    const rounds = await inTurns(count, () => start(), bare)
    bench.progress.step(`cold-start: ${count} starts of each, with traces`)
    const traced = await inTurns(count, () => start({ isTraced: true }), bare)
    bench.progress.step(`cold-start: ${count} starts of each, reporting`)
    const reporting = await inTurns(count, () => start({ reports: true }), bare)
    return [
      {
        id: 'cold-start',
        name: 'Cold start of a function : of Node',
        unit: 'ms to first 200',
        goal: { ratio: 1.3, better: 'lower' },
        rounds,
        notes: [
          `the first 200 is that of /healthz; of GET /accounts, with a token to check and a database to ask, it comes after ${await queried(false)} ms`,
        ],
      },
      {
        id: 'cold-start-traced',
        name: 'Cold start with traces : of Node',
        unit: 'ms to first 200',
        goal: { ratio: 1.9, better: 'lower' },
        rounds: traced,
        notes: [`as above; that of GET /accounts, which is traced, comes after ${await queried(true)} ms`],
      },
      {
        id: 'cold-start-reporting',
        name: 'Cold start, reporting what it counts : of Node',
        unit: 'ms to first 200',
        goal: { ratio: 1.3, better: 'lower' },
        rounds: reporting,
      },
    ]
  },
}
