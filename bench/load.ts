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

/** What the load generator is told. */
export interface LoadJob {
  url: string
  connections: number
  warmupSeconds: number
  seconds: number
  /** Transfers of one dollar between random accounts of these; without them `numbered`, or `body`, always the
   * same. */
  transfers?: {
    customers: Customer[]
    keyPrefix: string
    toAccount?: string
    /** So many of one customer in each request, as `post-batch` takes them. */
    batchOf?: number
  }
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
  /** Processor seconds that everything which the bench runs used for each answer, by its name. */
  processorTime: ProcessorTime
}

/** Puts a server under load with wrk, a process that takes little of the machine itself. Throws where
 * anything but 2xx was answered. */
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

/** The last line of requests.lua; latencies in microseconds. */
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

/** @param part tells the keys of the warm-up from those of the measurement */
async function fire(bench: Bench, job: LoadJob, seconds: number, part: string): Promise<Fired> {
  const options = ['--threads', '1', '--connections', `${job.connections}`, '--duration', `${seconds}s`]
  const script = join(bench.root, 'bench/requests.lua')
  // Signals don't pass through; but it ends by itself, soon.
  const { stdout } = await promisify(execFile)('wrk', [
    ...options,
    ...['--timeout', '10s', '--script', script, job.url, '--', `${randomInt(2 ** 31)}`],
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

/** The kind of the requests and its arguments, as requests.lua takes them. */
function requestsOf(bench: Bench, { transfers, numbered, body = '' }: LoadJob, part: string): string[] {
  if (numbered) return ['numbered', `${numbered.from}`, `${numbered.to}`]
  if (!transfers) return ['same', body]
  const { customers, keyPrefix, toAccount = '', batchOf = 0 } = transfers
  const file = join(bench.folder, 'customers.tsv')
  writeFileSync(file, customers.map(({ token, accounts }) => `${token}\t${accounts.join(' ')}\n`).join(''))
  return ['transfers', file, `${keyPrefix}${part}`, toAccount, `${batchOf}`]
}
