import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { stringify } from 'yaml'
import { takePort } from '../../knative/local/processes/ports.ts'
import { findProgram, startProgram } from '../../monitoring/local/programs.mjs'
import { until } from './until.ts'

export interface TestPrometheus {
  port: number
  url: string
  /** Resolves with the value of an expression that gives one series, or none. */
  value(expr: string): Promise<number | undefined>
  stop(): Promise<void>
}

export interface PrometheusOptions {
  /** What it has at its start: OpenMetrics with timestamps. */
  values?: string
  /** The port of this machine whose /metrics it scrapes every second. */
  scraped?: number
  options?: readonly string[]
}

/** Starts a Prometheus of its own. */
export async function startPrometheus({ values, scraped, options = [] }: PrometheusOptions) {
  const folder = mkdtempSync(join(tmpdir(), 'microbank-prometheus-'))
  const [settings, data] = [join(folder, 'settings.yml'), join(folder, 'data')]
  const jobs = scraped ? [{ job_name: 'meter', static_configs: [{ targets: [`127.0.0.1:${scraped}`] }] }] : []
  writeFileSync(settings, stringify({ global: { scrape_interval: '1s' }, scrape_configs: jobs }))
  if (values !== undefined) {
    const file = join(folder, 'values')
    writeFileSync(file, `${values}# EOF\n`)
    await promisify(execFile)('promtool', ['tsdb', 'create-blocks-from', 'openmetrics', file, data])
  }
  const port = await takePort()
  const url = `http://127.0.0.1:${port}`
  const program = startProgram('Prometheus', findProgram('prometheus')!, [
    `--config.file=${settings}`,
    `--storage.tsdb.path=${data}`,
    `--web.listen-address=127.0.0.1:${port}`,
    ...options,
  ])
  await until(() => fetch(`${url}/-/ready`).then(({ ok }) => ok), { what: 'Prometheus to start' })
  return {
    port,
    url,
    async value(expr) {
      const answer = await fetch(`${url}/api/v1/query?${new URLSearchParams({ query: expr })}`)
      const { data: told, error } = (await answer.json()) as {
        data?: { result: { value: [number, string] }[] }
        error?: string
      }
      if (!told) throw new Error(`${expr}: ${error}`)
      return told.result[0] && Number(told.result[0].value[1])
    },
    async stop() {
      program.stop()
      await program.ended
      rmSync(folder, { recursive: true, force: true })
    },
  } satisfies TestPrometheus
}
