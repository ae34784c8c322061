import { join } from 'node:path'
import { reportingTo, startCollector } from '../bank.ts'
import { lengths, type Ratio } from '../bench.ts'
import { load } from '../load.ts'
import { startServer } from '../processes.ts'
import { inTurns } from '../rounds.ts'

const BODY = JSON.stringify({ account_id: '01936f0a-9011-7c55-8f0e-6f2a7c1d2e33', amount: '200.00' })
const CONNECTIONS = 16

/** Long enough for a report, which a function sends every ten seconds. */
const REPORTING_SECONDS = 12

/** Processor time of a POST with a small body in a function that does nothing, against node:http; without
 * reports of what it counts, and with them. */
export const hostCpu: Ratio = {
  id: 'host-cpu',
  needs: ['wrk'],
  async run(bench) {
    const { rounds: count, warmupSeconds } = lengths(bench)
    const meter = await startCollector(bench)
    const measure = async (program: string, path: string, meterUrl?: string): Promise<number> => {
      const env = reportingTo(meterUrl)
      const server = await startServer(bench, { script: join(bench.folder, program), env })
      const { serverCpuSeconds } = await load(bench, {
        url: server.url + path,
        connections: CONNECTIONS,
        warmupSeconds,
        seconds: bench.isQuick ? 2 : meterUrl ? REPORTING_SECONDS : 4,
        body: BODY,
        serverPid: server.pid,
      })
      await server.kill()
      return serverCpuSeconds * 1e6
    }
    const against = (what: string, meterUrl?: string) =>
      inTurns(
        count,
        (round) => {
          bench.progress.step(`${what}: round ${round + 1} of ${count}`)
          return measure('nothing.cjs', '/nothing', meterUrl)
        },
        () => measure('bare.cjs', '/'),
      )
    const row = { unit: 'µs CPU/request', goal: { ratio: 1.5, better: 'lower' } } as const
    return [
      {
        ...{ id: 'host-cpu', name: 'A function that does nothing : node:http', ...row },
        rounds: await against('host-cpu'),
      },
      {
        ...{ id: 'host-cpu-reporting', name: 'The same, reporting what it counts : node:http', ...row },
        rounds: await against('host-cpu, reporting', meter.url),
      },
    ]
  },
}
