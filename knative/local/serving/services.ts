import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createLog, type Log } from '../../../monitoring/log.ts'
import type { ColdStart } from './cold-start.ts'
import type { RecentStarts } from './recent-starts.ts'
import type { Meter } from '../../../monitoring/meter/meter.ts'
import type { FunctionLogs } from '../processes/function-log.ts'
import type { ProcessRecords } from '../processes/leftovers.ts'
import { FunctionProcess } from '../processes/process.ts'
import type { ServiceManifest } from '../manifests/service-manifest.ts'
import { Service } from './service.ts'

const START_MS_MAX = 30_000
/** Knative gives a process timeoutSeconds to end. At a terminal, nobody waits five minutes. */
const STOP_MS_MAX = 30_000

export interface ServicesOptions {
  /** The folder of the bundles: `<name>.cjs`. */
  bundles: string
  environmentOf: (manifest: ServiceManifest) => Record<string, string>
  logs: FunctionLogs
  meter: Pick<Meter, 'observe'>
  starts: RecentStarts
  records: ProcessRecords
  log: Log
}

/**
 * Creates the Services of the manifests, by name. None of them is started.
 * @throws an error with the manifest's file if a bundle is missing or the environment can't be made
 */
export function createServices(
  manifests: readonly ServiceManifest[],
  options: ServicesOptions,
): Map<string, Service> {
  return new Map(manifests.map((manifest) => [manifest.name, createService(manifest, options)]))
}

function createService(manifest: ServiceManifest, options: ServicesOptions): Service {
  const { name, bundle, args, timeoutMs } = manifest
  const script = join(options.bundles, `${bundle}.cjs`)
  if (!existsSync(script))
    throw new Error(`${manifest.file}: Service ${name} runs ${bundle}, but ${script} is missing`)
  // Made here too, to find what is missing before anything starts.
  options.environmentOf(manifest)
  const startProcess = (): FunctionProcess => {
    const started = new FunctionProcess({
      service: name,
      script,
      args,
      env: options.environmentOf(manifest),
      startTimeoutMs: START_MS_MAX,
      stopTimeoutMs: Math.min(timeoutMs, STOP_MS_MAX),
      onLine: (line, _stream, pid) => options.logs.write(name, line, pid),
      onPhase: (phase, ms, soFar) => {
        // The function reports its first query itself.
        if (phase !== 'first-query')
          options.meter.observe('microbank_cold_start_seconds', { service: name, phase }, ms / 1000)
        if (phase === 'port-open') options.starts.add(started.startRecord)
        if (phase === 'first-request') logColdStart(name, started.pid ?? 0, soFar, options.logs)
      },
      records: options.records,
    })
    return started
  }
  return new Service({ manifest, log: options.log, startProcess })
}

/** Writes one line to the function's log for each start that came to a first answer. */
function logColdStart(
  service: string,
  pid: number,
  coldStart: Readonly<ColdStart>,
  logs: FunctionLogs,
): void {
  const log = createLog({ service }, 'info', (line) => logs.write(service, line.trimEnd(), pid))
  const rounded = Object.entries(coldStart).map(([phase, ms]: [string, number]) => [
    phase.replace(/([a-z])([A-Z])/g, '$1_$2').toLowerCase(),
    Math.round(ms * 10) / 10,
  ])
  log.info('cold start', { pid, ...Object.fromEntries(rounded) })
}
