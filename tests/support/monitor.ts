import { spawn } from 'node:child_process'
import { ROOT } from './repository.ts'
import { until } from './until.ts'

export interface Monitor {
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
    what: 'the monitor to start',
  })
  const [, url] = /Prometheus +(http:\S+)/.exec(output) ?? []
  if (!url) throw new Error(`the monitor did not start:\n${output}`)
  return {
    async range(expr, seconds) {
      const end = Date.now() / 1000
      const query = new URLSearchParams({
        query: expr,
        start: String(end - seconds),
        end: String(end),
        step: '5',
      })
      const answer = await fetch(`${url}/api/v1/query_range?${query}`)
      const body = (await answer.json()) as {
        error?: string
        data?: { result: { values: [number, string][] }[] }
      }
      if (!body.data) throw new Error(`${expr}: ${body.error}`)
      return body.data.result.map(({ values }) => values.map(([, value]) => Number(value)))
    },
    async traces(expr) {
      const end = Date.now() / 1000
      const query = new URLSearchParams({ query: expr, start: String(end - 300), end: String(end) })
      const { data } = (await (await fetch(`${url}/api/v1/query_exemplars?${query}`)).json()) as {
        data: { exemplars: { labels: { trace_id: string }; timestamp: number }[] }[]
      }
      const found = data.flatMap(({ exemplars }) => exemplars)
      return found.sort((a, b) => a.timestamp - b.timestamp).map(({ labels }) => labels.trace_id)
    },
    async firing() {
      const { data } = (await (await fetch(`${url}/api/v1/alerts`)).json()) as {
        data: { alerts: { labels: { alertname: string }; state: string }[] }
      }
      return data.alerts.flatMap(({ labels, state }) => (state === 'firing' ? [labels.alertname] : []))
    },
    async stop() {
      child.kill('SIGTERM')
      await ended
    },
  }
}
