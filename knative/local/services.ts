import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Log } from '../../monitoring/log.ts'
import type { FunctionLogs } from './function-log.ts'
import type { ProcessRecords } from './leftovers.ts'
import { FunctionProcess } from './process.ts'
import type { ServiceManifest } from './service-manifest.ts'
import { Service } from './service.ts'

const START_MS_MAX = 30_000
/** Knative gives a process timeoutSeconds to end; nobody waits five minutes at a terminal. */
const STOP_MS_MAX = 30_000

export interface ServicesOptions {
  /** Folder of the bundles: `<name>.cjs`. */
  bundles: string
  environmentOf: (manifest: ServiceManifest) => Record<string, string>
  logs: FunctionLogs
  records: ProcessRecords
  log: Log
}

/**
 * The Services of the manifests, by name, none of them started.
 * @throws an error with the manifest's file where a bundle is missing or the environment can't be made
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
  const env = options.environmentOf(manifest)
  return new Service({
    manifest,
    log: options.log,
    startProcess: () =>
      new FunctionProcess({
        service: name,
        script,
        args,
        env,
        startTimeoutMs: START_MS_MAX,
        stopTimeoutMs: Math.min(timeoutMs, STOP_MS_MAX),
        onLine: (line, _stream, pid) => options.logs.write(name, line, pid),
        records: options.records,
      }),
  })
}
