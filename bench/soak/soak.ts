import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createRandom } from '../../knative/local/lab/random.ts'
import { keyPrefix } from '../bank.ts'
import type { Bench } from '../bench.ts'
import { openAccounts, signIn, type Customer } from '../customers.ts'
import { proveLedger, settle, type BenchDatabases } from '../databases.ts'
import { watchDelivery } from '../delivery.ts'
import { memoryOf, readFamily } from '../family.ts'
import { percentiles } from '../latency.ts'
import { openProgram } from '../processes.ts'
import { createRateControl } from '../rate-control.ts'
import { holdRate, searchRate } from '../steady-rate.ts'
import { startWholeBank } from '../whole-bank.ts'
import { killOne } from './kills.ts'
import { trendOf, type SoakSeries, type Trend } from './series.ts'
import type { SteadyJob, SteadyReport } from './steady.ts'

/** What a soak came to. */
export interface SoakResult {
  seconds: number
  /** The greatest rate at which events don't pile up, found before, and the rate of the soak. */
  sustainedPerSecond: number
  perSecond: number
  /** Transfers answered with 201. Each was posted once, and has one notification. */
  transfers: number
  /** Requests that were sent again, because a process had been killed. */
  repeated: number
  /** What was killed, in order. */
  killed: string[]
  seed: number
  trends: Trend[]
}

export interface SoakOptions {
  minutes: number
  seed: number
}

const WINDOW_SECONDS = 10
const KILL_EVERY_WINDOWS = 6
/** Windows in which the latency shows a kill and what it left to catch up with. */
const WINDOWS_OF_KILL = 2
const CLIENTS = 64
const START_PER_SECOND = 200
const TOKENS_EVERY_WINDOWS = 30
/** The programs that a transfer and its events go through. */
const WATCHED = ['runtime', 'front-door', 'transfer', 'notify', 'RabbitMQ', 'Postgres'] as const
const MB = 1_000_000

/** Sends transfers through the front door of the whole bank at half of the rate that it sustains, kills one
 * of its processes a minute, and follows memory, latency, log and events that wait. Throws if a transfer
 * that was answered is missing or doubled, if a notification is, or if the ledger can't be proved. */
export async function soak(bench: Bench, { minutes, seed }: SoakOptions): Promise<SoakResult> {
  const whole = await startWholeBank(bench, bench.nodes[0]!)
  const { databases } = whole
  const customers = await openAccounts(bench, databases)
  const url = `${whole.url}/api/transactions`
  const sustainedPerSecond = await sustainedRate(bench, { url, databases, customers })
  const perSecond = Math.round(sustainedPerSecond / 2)
  await settle(databases)

  const windows = Math.max(6, Math.round((minutes * 60) / WINDOW_SECONDS))
  const { series, ...came } = await followLoad(bench, { url, databases, customers, perSecond, windows, seed })
  await proveLedger(bench, databases)
  await whole.stop()
  const trends = series.map((each) => trendOf(each, WINDOW_SECONDS)).filter((trend) => trend !== undefined)
  return { seconds: windows * WINDOW_SECONDS, sustainedPerSecond, perSecond, seed, trends, ...came }
}

interface SoakTarget {
  url: string
  databases: BenchDatabases
  customers: Customer[]
}

async function sustainedRate(bench: Bench, target: SoakTarget): Promise<number> {
  const steady = { ...target, id: 'soak', connections: CLIENTS }
  const control = createRateControl(START_PER_SECOND)
  const latencyMs = await searchRate(bench, steady, control)
  const lengths = bench.isQuick ? { seconds: 6, stepSeconds: 2 } : { seconds: 60, stepSeconds: 5 }
  return (await holdRate(bench, steady, control, { ...lengths, latencyMs })).perSecond
}

async function followLoad(
  bench: Bench,
  { windows, perSecond, seed, ...target }: SoakTarget & { windows: number; perSecond: number; seed: number },
) {
  const { databases, customers, url } = target
  const random = createRandom(seed, 'soak')
  const functions = new Set(
    readdirSync(join(bench.root, 'dist/functions'))
      .filter((file) => file.endsWith('.cjs'))
      .map((file) => file.replace(/\.cjs$/, '')),
  )
  const tokens = () => Promise.all(customers.map(({ userId }) => signIn(databases.secrets, userId)))
  const watch = await watchDelivery(databases)
  const load = openProgram(bench, 'steady')
  const ask = (job: SteadyJob) => load.ask<SteadyJob, SteadyReport>(job)
  await ask({
    ...{ do: 'start', url, perSecond, clients: CLIENTS, keyPrefix: keyPrefix() },
    customers: customers.map(({ accounts }) => accounts),
    tokens: await tokens(),
  })

  const killed: string[] = []
  const samples: WindowSample[] = []
  let [transfers, repeated, sinceKill] = [0, 0, WINDOWS_OF_KILL]
  let written = await writtenBytes(databases)
  const beganAt = performance.now()
  for (let n = 1; n <= windows; n++) {
    await delay(Math.max(0, beganAt + n * WINDOW_SECONDS * 1000 - performance.now()))
    const fresh = n % TOKENS_EVERY_WINDOWS === 0 ? await tokens() : undefined
    const report = await ask({ do: 'report', tokens: fresh })
    const before = written
    written = await writtenBytes(databases)
    const pending = await watch.pending().catch(() => undefined)
    sinceKill++
    samples.push(sampleOf(report, { pending, isCalm: sinceKill > WINDOWS_OF_KILL, before, written }))
    transfers += report.latenciesMs.length
    repeated += report.repeated
    bench.progress.step(progressOf(n, windows, report, killed.at(-1)))
    // The last kill is early enough for the last windows to be calm.
    if (n % KILL_EVERY_WINDOWS === KILL_EVERY_WINDOWS / 2 && n <= windows - KILL_EVERY_WINDOWS / 2) {
      const name = killOne(functions, random)
      if (name) killed.push(name)
      sinceKill = 0
    }
  }
  const last = await ask({ do: 'stop' })
  transfers += last.latenciesMs.length
  repeated += last.repeated
  await load.end()
  const { count } = await watch.untilDelivered()
  if (count !== transfers)
    throw new Error(`THE LEDGER IS WRONG: ${transfers} transfers were answered, ${count} were posted`)
  return { transfers, repeated, killed, series: seriesOf(samples) }
}

/** What was seen at the end of a window. */
interface WindowSample {
  memory: Map<string, number>
  p50: number | undefined
  p99: number | undefined
  logBytes: number | undefined
  pending: number | undefined
}

function sampleOf(
  { latenciesMs }: SteadyReport,
  given: Record<'pending' | 'before' | 'written', number | undefined> & { isCalm: boolean },
): WindowSample {
  const memory = new Map<string, number>()
  for (const { pid, name } of readFamily()) memory.set(name, (memory.get(name) ?? 0) + memoryOf(pid))
  const counts = given.isCalm && latenciesMs.length > 0
  const { p50, p99 } = counts ? percentiles(latenciesMs) : {}
  const grown =
    given.before !== undefined && given.written !== undefined ? given.written - given.before : undefined
  const logBytes = counts && grown !== undefined ? grown / latenciesMs.length : undefined
  return { memory, p50, p99, logBytes, pending: given.isCalm ? given.pending : undefined }
}

const seriesOf = (samples: readonly WindowSample[]): SoakSeries[] => [
  { name: 'p50', unit: 'ms', values: samples.map(({ p50 }) => p50) },
  { name: 'p99', unit: 'ms', values: samples.map(({ p99 }) => p99) },
  ...WATCHED.map((name) => ({
    name: `memory of ${name}`,
    unit: 'MB',
    values: samples.map(({ memory }) => {
      const bytes = memory.get(name)
      return bytes && bytes / MB
    }),
  })),
  { name: 'Postgres’ log', unit: 'bytes/transfer', values: samples.map(({ logBytes }) => logBytes) },
  { name: 'events that wait', unit: '', values: samples.map(({ pending }) => pending) },
]

/** Resolves with the bytes that Postgres has written to its log since it was made; undefined while it does
 * not answer. */
async function writtenBytes({ owner }: BenchDatabases): Promise<number | undefined> {
  const text = `select (pg_current_wal_lsn() - '0/0')::text as bytes`
  const [row] = await owner.query<{ bytes: string }>({ text }).catch(() => [])
  return row && Number(row.bytes)
}

function progressOf(
  n: number,
  windows: number,
  { latenciesMs, repeated }: SteadyReport,
  last = 'nothing',
): string {
  const rate = Math.round(latenciesMs.length / WINDOW_SECONDS)
  return `soak: ${n * WINDOW_SECONDS} of ${windows * WINDOW_SECONDS} s, ${rate} a second, ${repeated} repeated, last killed: ${last}`
}
