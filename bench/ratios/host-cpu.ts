import { join } from 'node:path'
import { lengths, type Ratio } from '../bench.ts'
import { load } from '../load.ts'
import { startServer } from '../processes.ts'
import { inTurns } from '../rounds.ts'

const BODY = JSON.stringify({ account_id: '01936f0a-9011-7c55-8f0e-6f2a7c1d2e33', amount: '200.00' })
const CONNECTIONS = 16

/** Processor time of a POST with a small body in a function that does nothing, against node:http. */
export const hostCpu: Ratio = {
  id: 'host-cpu',
  needs: ['wrk'],
  async run(bench) {
    const { rounds: count, warmupSeconds } = lengths(bench)
    const measure = async (program: string, path: string): Promise<number> => {
      const server = await startServer(bench, { script: join(bench.folder, program), env: {} })
      const { serverCpuSeconds } = await load(bench, {
        url: server.url + path,
        connections: CONNECTIONS,
        warmupSeconds,
        seconds: bench.isQuick ? 2 : 4,
        body: BODY,
        serverPid: server.pid,
      })
      await server.kill()
      return serverCpuSeconds * 1e6
    }
    const rounds = await inTurns(
      count,
      (round) => {
        bench.progress.step(`host-cpu: round ${round + 1} of ${count}`)
        return measure('nothing.cjs', '/nothing')
      },
      () => measure('bare.cjs', '/'),
    )
    return [
      {
        id: 'host-cpu',
        name: 'A function that does nothing : node:http',
        unit: 'µs CPU/request',
        goal: { ratio: 1.5, better: 'lower' },
        rounds,
      },
    ]
  },
}
