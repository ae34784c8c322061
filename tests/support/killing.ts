import { randomInt } from 'node:crypto'
import type { Bank } from './bank.ts'
import { signal } from './signal.ts'
import { until } from './until.ts'

export interface Killing {
  /** Returns how many requests were answered so far. */
  answers(): number
  /** Servers that are killed too, each after this many functions. A killed server is started again. */
  servers: { afterKills: number; pid: () => number }[]
}

/** Kills one of the bank's functions after another with kill -9 while `work` runs. A slow machine needs
 * longer to start a process, so the next one is killed only after an answer. */
export async function whileKilling(
  bank: Bank,
  { answers, servers }: Killing,
  work: () => Promise<void>,
): Promise<void> {
  let isOver = false
  const killing = (async () => {
    for (let kills = 0; !isOver; kills++) {
      const pids = bank.functionPids()
      if (pids.length > 0) signal([pids[randomInt(pids.length)]!], 'SIGKILL')
      for (const { pid } of servers.filter(({ afterKills }) => afterKills === kills))
        // A server that is just starting has no pid yet.
        signal([await until(pid, { what: 'the pid of a server' })], 'SIGKILL')
      const next = performance.now() + 400
      const before = answers()
      await until(() => isOver || (performance.now() >= next && answers() > before), {
        timeoutMs: 240_000,
        what: 'an answer since the last kill',
      })
    }
  })()
  try {
    await work()
  } finally {
    isOver = true
    await killing
  }
}
