import type { Bench } from './bench.ts'
import type { Customer } from './customers.ts'
import { runProgram } from './processes.ts'
import type { Latency } from './latency.ts'

/** What the load generator is told. */
export interface LoadJob {
  url: string
  connections: number
  warmupSeconds: number
  seconds: number
  /** Transfers of one dollar between random accounts of these; without them `numbered`, or `body`, always the same. */
  transfers?: { customers: Customer[]; keyPrefix: string; toAccount?: string }
  body?: string
  /** Transfers between accounts with these numbers, as the peer takes them. */
  numbered?: { from: number; to: number }
  /** Process whose processor time is read before and after. */
  serverPid?: number
}

export interface LoadReport {
  /** Answers with 2xx a second, without those of the warm-up. */
  perSecond: number
  /** Answers with 2xx, those of the warm-up too. */
  succeeded: number
  latency: Latency
  /** Processor seconds that the server used for each answer. */
  serverCpuSeconds: number
}

/** Puts a server under load from a process of its own. Throws where anything but 2xx was answered. */
export async function load(bench: Bench, job: LoadJob): Promise<LoadReport> {
  const report = await runProgram<LoadJob, LoadReport | { fault: string }>(bench, 'generator', job)
  if ('fault' in report) throw new Error(`under load, ${job.url} ${report.fault}`)
  return report
}
