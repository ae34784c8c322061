import http from 'node:http'
import type { InstrumentName } from './catalogue.ts'
import { inTime } from './in-time.ts'
import { keyDates } from './key-dates.ts'
import type { ReadableGauge, ReadGauge, ReportSettings } from './report-settings.ts'
import { encodeReport } from './otlp-metrics.ts'
import { watchProcess } from './process-metrics.ts'
import { randomHex } from './random.ts'
import { Tallies } from './tallies.ts'

export interface ReporterOptions extends ReportSettings {
  gauges: ReadonlyMap<ReadableGauge, ReadGauge>
  /** How many lines of these levels the process has written so far. Given, because a function loads this file
   * later and as one of its own: what it imports is there a second time. */
  lines: Readonly<Record<'warn' | 'error', number>>
  /** Milliseconds between two looks at whether a report is due. */
  everyMs?: number
  /** Milliseconds to wait for an answer. */
  answerMs?: number
}

export interface Reporter {
  tallies: Tallies
  /** Sends what is left, for at most two seconds, and ends the reports. */
  stop(): Promise<void>
}

const EVERY_MS = 10_000
/** Without requests, every third look reports. */
const IDLE_LOOKS = 3
const PAUSE_MS_MAX = 300_000
const ANSWER_MS_MAX = 5_000
const STOP_MS_MAX = 2_000
/** Answers that say that the report can never be taken. Everything else may change. */
const NEVER = new Set([400, 413])

/** Starts the reports of this process. Each says what was added since the last one that was answered with
 * 2xx. Until then it is sent again as it was, so the meter can tell by its start time that it has it, and
 * what comes meanwhile is counted for the next. Nobody waits for a report, and without answers the pauses
 * grow to five minutes. */
export function startReporter(options: ReporterOptions): Reporter {
  const { log, everyMs = EVERY_MS, answerMs = ANSWER_MS_MAX } = options
  const tallies = new Tallies()
  const watched = watchProcess(tallies)
  const resource = {
    'service.namespace': 'microbank',
    'service.name': options.service,
    'service.instance.id': options.instance ?? randomHex(16),
    ...(options.revision && { 'faas.version': options.revision }),
  }
  let startMs = performance.timeOrigin
  let unanswered: string | undefined
  let sending: Promise<boolean> | undefined
  let failures = 0
  let pausedLooks = 0
  let idleLooks = 0
  let linesReported = { warn: 0, error: 0 }
  tallies.count('microbank_processes_started_total')

  const read = (): Map<InstrumentName, Readonly<Record<string, number>>> => {
    const own = Object.entries(watched.gauges()) as [InstrumentName, number][]
    const values = own.map(([name, value]) => [name, { '': value }] as const)
    return new Map<InstrumentName, Readonly<Record<string, number>>>([
      ...values,
      ...[...options.gauges].map(([name, get]) => [name, get()] as const),
      ['microbank_key_created_timestamp_seconds', keyDates(options.keys?.() ?? [])],
    ])
  }

  const make = (isLast: boolean): string => {
    watched.count()
    const { warn, error } = options.lines
    tallies.count('microbank_log_lines_total', 'warn', warn - linesReported.warn)
    tallies.count('microbank_log_lines_total', 'error', error - linesReported.error)
    linesReported = { warn, error }
    // A clock that was set back must not make two reports alike.
    const timeMs = Math.max(Date.now(), Math.floor(startMs) + 1)
    const content = { resource, startMs, timeMs, tallied: tallies.take() }
    startMs = timeMs
    // A process that ends holds nothing any more.
    return encodeReport({ ...content, gauges: isLast ? new Map() : read() })
  }

  /** Sends a report. Resolves with whether it is settled: taken, or refused for good. */
  const send = async (waitMs: number, isLast = false): Promise<boolean> => {
    unanswered ??= make(isLast)
    const { status, error } = await post(options, unanswered, waitMs)
    const isTaken = status >= 200 && status < 300
    if (isTaken || NEVER.has(status)) {
      if (!isTaken) log.warn('a report of metrics was refused, and is lost', { status })
      unanswered = undefined
      failures = 0
      return true
    }
    if (failures++ === 0) log.warn('metrics are not taken; they wait', { status, error })
    return false
  }

  const look = (): void => {
    if (sending) return
    if (pausedLooks > 0) return void pausedLooks--
    if (!unanswered && !tallies.hasRequests && ++idleLooks < IDLE_LOOKS) return
    idleLooks = 0
    sending = send(answerMs)
    void sending.then((isSettled) => {
      sending = undefined
      if (!isSettled) pausedLooks = Math.min(2 ** (failures - 1), PAUSE_MS_MAX / everyMs) - 1
    })
  }
  const timer = setInterval(look, everyMs).unref()

  return {
    tallies,
    async stop() {
      clearInterval(timer)
      const endsAt = performance.now() + STOP_MS_MAX
      const left = (): number => Math.max(1, endsAt - performance.now())
      if (sending) await inTime(left(), sending)
      // What could not be sent yet, then what came since.
      if ((unanswered === undefined || (await send(left()))) && (await send(left(), true))) {
        watched.stop()
        return
      }
      watched.stop()
      log.warn('metrics are lost: nobody took them before the process stopped')
    },
  }
}

/** Posts a report. Resolves with the status of the answer, or with 0 and why there was none. */
async function post(
  { endpoint, headers, gateway }: ReportSettings,
  body: string,
  answerMs: number,
): Promise<{ status: number; error?: string }> {
  const url = new URL(endpoint)
  const inCluster = url.hostname.endsWith('.cluster.local')
  // Inside a cluster nothing needs TLS, which would take memory.
  const client = url.protocol === 'https:' ? await import('node:https') : http
  return new Promise((resolve) => {
    const request = client.request(url, {
      ...(inCluster && gateway && { hostname: gateway.host, port: gateway.port }),
      method: 'POST',
      // A report is rare, so it keeps no connection.
      agent: false,
      headers: {
        ...(!inCluster && headers),
        host: url.host,
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
      },
    })
    const late = setTimeout(() => request.destroy(new Error(`no answer within ${answerMs} ms`)), answerMs)
    const end = (status: number, error?: Error): void => {
      clearTimeout(late)
      resolve({ status, ...(error && { error: error.message }) })
    }
    request.on('response', (response) => {
      response.on('end', () => end(response.statusCode ?? 0))
      response.on('error', (error) => end(0, error))
      response.resume()
    })
    request.on('error', (error) => end(0, error))
    request.end(body)
  })
}
