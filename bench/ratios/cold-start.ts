import { join } from 'node:path'
import { startFunction } from '../bank.ts'
import type { Ratio } from '../bench.ts'
import { openAccounts } from '../customers.ts'
import { startDatabases } from '../databases.ts'
import { startServer, type ServerOptions } from '../processes.ts'
import { inTurns, median } from '../rounds.ts'
import { figure } from '../table.ts'

/** From the spawn of a function's process to its first 200, against Node that does nothing but answer. */
export const coldStart: Ratio = {
  id: 'cold-start',
  needs: [],
  async run(bench) {
    const count = bench.isQuick ? 5 : 25
    const databases = await startDatabases(bench)
    const [customer] = await openAccounts(bench, databases, 10)

    const start = async (firstRequest?: ServerOptions['firstRequest']): Promise<number> => {
      const options = { name: 'accounts', ...(firstRequest && { firstRequest }) }
      const server = await startFunction(bench, databases, options)
      await server.kill()
      return server.firstAnswerMs
    }
    const bare = async (): Promise<number> => {
      const server = await startServer(bench, { script: join(bench.folder, 'bare.cjs'), env: {} })
      await server.kill()
      return server.firstAnswerMs
    }
    bench.progress.step(`cold-start: ${count} starts of each`)
    // The first start of each reads its files from the disk.
    await start()
    await bare()
    const rounds = await inTurns(count, () => start(), bare)

    const headers = { authorization: `Bearer ${customer!.token}` }
    const queried: number[] = []
    for (let n = 0; n < count; n++) queried.push(await start({ path: '/accounts', headers }))
    return [
      {
        id: 'cold-start',
        name: 'Cold start of a function : of Node',
        unit: 'ms to first 200',
        goal: { ratio: 1.3, better: 'lower' },
        rounds,
        notes: [
          `the first 200 is that of /healthz; of GET /accounts, with a token to check and a database to ask, it comes after ${figure(median(queried))} ms`,
        ],
      },
    ]
  },
}
