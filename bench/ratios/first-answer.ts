import { startFunction } from '../bank.ts'
import type { Ratio } from '../bench.ts'
import { openAccounts } from '../customers.ts'
import { startDatabases } from '../databases.ts'
import { firstAnswerOfNode } from '../processes.ts'
import { inTurns } from '../rounds.ts'

/** The time from the spawn of the function `accounts` to its first answer to a customer, for which it checks
 * a token and asks the database, against the first answer of bare Node. */
export const firstAnswer: Ratio = {
  id: 'first-answer',
  needs: [],
  async run(bench) {
    const count = bench.isQuick ? 5 : 25
    const databases = await startDatabases(bench)
    const [customer] = await openAccounts(bench, databases, 10)
    const firstRequest = { path: '/accounts', headers: { authorization: `Bearer ${customer!.token}` } }
    const ours = async (): Promise<number> => {
      const server = await startFunction(bench, databases, { name: 'accounts', firstRequest })
      await server.kill()
      return server.firstAnswerMs
    }
    const bare = () => firstAnswerOfNode(bench)
    bench.progress.step(`first-answer: ${count} starts of each`)
    // The first start of each reads its files from the disk, so it is not counted.
    await ours()
    await bare()
    return [
      {
        id: 'first-answer',
        name: 'First answer of GET /accounts : of Node',
        unit: 'ms from spawn',
        goal: { ratio: 1.5, better: 'lower' },
        rounds: await inTurns(count, ours, bare),
      },
    ]
  },
}
