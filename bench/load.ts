import { execFile } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Bench } from './bench.ts'
import type { Customer } from './customers.ts'
import type { Latency } from './latency.ts'
import { usageOf } from './processes.ts'
import { perPiece, readProcessorTime, type ProcessorTime } from './processor-time.ts'

/** A job for the load generator. */
export interface LoadJob {
  url: string
  connections: number
  warmupSeconds: number
  seconds: number
  /** Transfers of one dollar between random accounts of these customers. Without it the job sends `numbered`,
   * or always the same `body`. */
  transfers?: {
    customers: Customer[]
    keyPrefix: string
    toAccount?: string
    /** Number of transfers of one customer in each request, as `post-batch` takes them. */
    batchOf?: number
  }
  body?: string
  /** A Bearer token that goes with `body`. */
  token?: string
  /** Transfers between accounts with numbers from `from` to `to`, as the peer takes them. */
  numbered?: { from: number; to: number }
  /** Time in ms, on average, for which each connection waits before a request; see pauseFor(). */
  pauseMs?: number
  /** Process whose processor time is measured. */
  serverPid?: number
}

export interface LoadReport {
  /** Answers with 2xx per second, without the warm-up. */
  perSecond: number
  /** Answers with 2xx, including the warm-up. */
  succeeded: number
  latency: Latency
  /** Processor time of the server for each answer, in s. */
  serverCpuSeconds: number
  /** Processor time of each program of the bench for each answer, in s. */
  processorTime: ProcessorTime
}

/** Puts a server under load with wrk, which uses little of the machine itself. Throws if any answer was not
 * 2xx. */
export async function load(bench: Bench, job: LoadJob): Promise<LoadReport> {
  const warmup = job.warmupSeconds > 0 ? await fire(bench, job, job.warmupSeconds, 'w') : undefined
  const server = (): number => (job.serverPid ? usageOf(job.serverPid).cpuSeconds : 0)
  const [before, serverBefore] = [readProcessorTime(), server()]
  const { answers, seconds, p50, p99, p999 } = await fire(bench, job, job.seconds, 'm')
  return {
    perSecond: answers / seconds,
    succeeded: (warmup?.answers ?? 0) + answers,
    latency: { p50: p50 / 1000, p99: p99 / 1000, p999: p999 / 1000 },
    serverCpuSeconds: (server() - serverBefore) / answers,
    processorTime: perPiece(before, readProcessorTime(), answers),
  }
}

/** Returns the pause in ms with which so many connections send that many requests a second, if an answer
 * takes `latencyMs`. It is 0 if they can't. */
export const pauseFor = (connections: number, perSecond: number, latencyMs = 0): number =>
  Math.max(0, Math.round((connections / perSecond) * 1000 - latencyMs))

/** The last line that requests.lua prints. Latencies are in microseconds. */
interface Fired {
  answers: number
  seconds: number
  refused: number
  broken: number
  late: number
  p50: number
  p99: number
  p999: number
}

/** Runs wrk once.
 * @param part tells the keys of the warm-up from those of the measurement */
async function fire(bench: Bench, job: LoadJob, seconds: number, part: string): Promise<Fired> {
  const options = ['--threads', '1', '--connections', `${job.connections}`, '--duration', `${seconds}s`]
  const script = join(bench.root, 'bench/requests.lua')
  // wrk gets no signals of the bench, but it soon ends by itself.
  const { stdout } = await promisify(execFile)('wrk', [
    ...options,
    ...[
      '--timeout',
      '10s',
      '--script',
      script,
      job.url,
      '--',
      `${randomInt(2 ** 31)}`,
      `${job.pauseMs ?? 0}`,
    ],
    ...requestsOf(bench, job, part),
  ])
  const fired = JSON.parse(stdout.trim().split('\n').at(-1)!) as Fired
  const { refused, broken, late } = fired
  if (refused + broken + late > 0)
    throw new Error(
      `under load, ${job.url} answered ${refused} times 4xx or 5xx; ${broken} connections broke, ${late} answers came late`,
    )
  return fired
}

/** Returns the kind of requests and its arguments, as requests.lua takes them. */
function requestsOf(
  bench: Bench,
  { transfers, numbered, body = '', token = '' }: LoadJob,
  part: string,
): string[] {
  if (numbered) return ['numbered', `${numbered.from}`, `${numbered.to}`]
  if (!transfers) return ['same', body, token]
  const { customers, keyPrefix, toAccount = '', batchOf = 0 } = transfers
  const file = join(bench.folder, 'customers.tsv')
  writeFileSync(file, customers.map(({ token, accounts }) => `${token}\t${accounts.join(' ')}\n`).join(''))
  return ['transfers', file, `${keyPrefix}${part}`, toAccount, `${batchOf}`]
}
