import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startFunction } from '../bank.ts'
import { lengths, type Ratio } from '../bench.ts'
import { openAccounts } from '../customers.ts'
import { startDatabases } from '../databases.ts'
import { startServer, usageOf, type ServerOptions, type ServerProcess } from '../processes.ts'
import { inTurns, median } from '../rounds.ts'
import { figure } from '../table.ts'

const MEGABYTE = 1024 * 1024
/** By then a function has done all that it does of itself after its start: a sweep, loading its metrics. */
const IDLE_MS = 3_000

/** Memory of a function that has started and waits, against Node that does. */
export const memory: Ratio = {
  id: 'memory',
  needs: [],
  async run(bench) {
    const { rounds: count } = lengths(bench)
    const databases = await startDatabases(bench)
    const [customer] = await openAccounts(bench, databases, 10)

    const measure = async (started: Promise<ServerProcess>): Promise<number> => {
      const server = await started
      await delay(IDLE_MS)
      const { rssBytes } = usageOf(server.pid)
      await server.kill()
      return rssBytes / MEGABYTE
    }
    const ours = (firstRequest?: ServerOptions['firstRequest']): Promise<number> =>
      measure(startFunction(bench, databases, { name: 'accounts', ...(firstRequest && { firstRequest }) }))
    const rounds = await inTurns(
      count,
      (round) => {
        bench.progress.step(`memory: round ${round + 1} of ${count}`)
        return ours()
      },
      () => measure(startServer(bench, { script: join(bench.folder, 'bare.cjs'), env: {} })),
    )
    const headers = { authorization: `Bearer ${customer!.token}` }
    const used: number[] = []
    for (let n = 0; n < Math.min(count, 3); n++) used.push(await ours({ path: '/accounts', headers }))
    return [
      {
        id: 'memory',
        name: 'Memory of an idle function : of Node',
        unit: 'MB RSS',
        goal: { ratio: 1.15, better: 'lower' },
        rounds,
        notes: [`after one GET /accounts, with token library and metrics loaded: ${figure(median(used))} MB`],
      },
    ]
  },
}
