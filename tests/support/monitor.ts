import { spawn } from 'node:child_process'
import { ROOT } from './repository.ts'
import { until } from './until.ts'

export interface Monitor {
  /** Where Prometheus is. */
  url: string
  /** Asks Prometheus for the last `seconds` of an expression. Resolves with the numbers of each series. */
  range(expr: string, seconds: number): Promise<number[][]>
  /** Resolves with the ids of traces that the last five minutes of a histogram name, the newest last. */
  traces(expr: string): Promise<string[]>
  /** Resolves with the names of the alerts that fire. */
  firing(): Promise<string[]>
  stop(): Promise<void>
}

/** Runs `npm run monitor` beside a bank that runs. Its alerts fire at once. */
export async function startMonitor(dataDir: string): Promise<Monitor> {
  const child = spawn(process.execPath, ['monitoring/local/start.mjs', '--at-once', '--data', dataDir], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  await until(() => output.includes('Ctrl-C ends them all.') || child.exitCode !== null, {
    ...{ timeoutMs: 240_000, what: 'the monitor to start' },
  })
  if (child.exitCode !== null) await ended
  const [, url] = /Prometheus +(http:\S+)/.exec(output) ?? []
  if (!url) throw new Error(`the monitor did not start:\n${output}`)
  const ask = async <Told>(path: string, query: Record<string, string> = {}): Promise<Told> => {
    const answer = await fetch(`${url}/api/v1/${path}?${new URLSearchParams(query)}`)
    const { data, error } = (await answer.json()) as { data?: Told; error?: string }
    if (!data) throw new Error(`${query.query ?? path}: ${error}`)
    return data
  }
  const last = (seconds: number) => {
    const end = Date.now() / 1000
    return { start: String(end - seconds), end: String(end) }
  }
  return {
    url,
    async range(expr, seconds) {
      const query = { query: expr, ...last(seconds), step: '5' }
      const { result } = await ask<{ result: { values: [number, string][] }[] }>('query_range', query)
      return result.map(({ values }) => values.map(([, value]) => Number(value)))
    },
    async traces(expr) {
      type Series = { exemplars: { labels: { trace_id: string }; timestamp: number }[] }
      const series = await ask<Series[]>('query_exemplars', { query: expr, ...last(300) })
      const found = series.flatMap(({ exemplars }) => exemplars)
      return found.sort((a, b) => a.timestamp - b.timestamp).map(({ labels }) => labels.trace_id)
    },
    async firing() {
      type Alert = { labels: { alertname: string }; state: string }
      const { alerts } = await ask<{ alerts: Alert[] }>('alerts')
      return alerts.flatMap(({ labels, state }) => (state === 'firing' ? [labels.alertname] : []))
    },
    async stop() {
      child.kill('SIGTERM')
      await ended
    },
  }
}
