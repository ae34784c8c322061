import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CatalogueEntry } from '../../functions/host/catalogue-entry.ts'
import type { InstrumentName, Sample } from '../../monitoring/catalogue.ts'
import type { Log } from '../../monitoring/log.ts'
import { startFacts } from '../../monitoring/meter/facts.ts'
import { Meter } from '../../monitoring/meter/meter.ts'
import { createMetrics } from '../../monitoring/metrics.ts'
import { METER_URL } from './gateway/hosts.ts'
import type { Backends } from './servers/backends.ts'
import type { RuntimeStatus } from './status.ts'

/** Creates the meter of the bank on this machine. `bundles` is the folder of the functions. */
export const createMeter = ({ bundles, root, log }: { bundles: string; root: string; log: Log }): Meter =>
  new Meter({
    log,
    version: (readJson(join(root, 'package.json')) as { version?: string }).version ?? '0.0.0',
    zeros: zerosOf(Object.values(readJson(join(bundles, '../catalogue.json'))) as CatalogueEntry[]),
  })

/**
 * Begins to read the facts of the contexts, and reports of this process what functions report of theirs.
 * @returns a function that ends both
 */
export function measure(
  { contexts, log }: { contexts: readonly string[]; log: Log },
  { databases }: Pick<Backends, 'databases'>,
  { meter, port }: { meter: Meter; port: number },
): () => Promise<unknown> {
  const urls = contexts.flatMap((context) => {
    const url = databases[context]?.meter
    return url ? [[context, url] as const] : []
  })
  const facts = startFacts({ databases: Object.fromEntries(urls), log })
  meter.addSource(() => facts.samples())
  const gateway = { host: '127.0.0.1', port }
  const settings = { endpoint: METER_URL, headers: {}, gateway, service: 'runtime', revision: '', log }
  const metrics = createMetrics(settings)
  return () => Promise.all([facts.stop(), metrics.stop()])
}

/** A runtime that runs other functions than the bank's has no such files. */
const readJson = (file: string): object =>
  existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as object) : {}

/** The counters of all routes, at their functions and at the front door. */
function* zerosOf(catalogue: readonly CatalogueEntry[]) {
  const name: InstrumentName = 'http_requests_total'
  for (const { name: service, routes } of catalogue)
    for (const { method, path } of routes)
      for (const status of ['2xx', '4xx', '5xx']) {
        yield { name, labels: { service, method, handler: path, status } }
        yield { name, labels: { service: 'front-door', method, handler: `/api${path}`, status } }
      }
}

/** Returns what the runtime's status says, as metrics. What is not known has no value. */
export function samplesOf({ services, brokers }: RuntimeStatus): Sample[] {
  const sample = (name: InstrumentName, labels: Record<string, string>, value: number | null | boolean) =>
    value === null ? [] : [{ name, labels, value: Number(value) }]
  return [
    ...services.flatMap(({ name: service, processes: ready, starting, wanted, held, ready: isReady }) => [
      ...Object.entries({ ready, starting, wanted }).flatMap(([state, count]) =>
        sample('microbank_processes', { service, state }, count),
      ),
      ...sample('microbank_requests_held', { service }, held),
      ...sample('microbank_ready', { kind: 'Service', name: service }, isReady),
    ]),
    ...brokers.flatMap(({ name, ready, triggers }) => [
      ...sample('microbank_ready', { kind: 'Broker', name }, ready),
      ...triggers.flatMap(({ name: trigger, ready: isReady, backlog, deadLetters }) => [
        ...sample('microbank_ready', { kind: 'Trigger', name: trigger }, isReady),
        ...sample('microbank_trigger_backlog', { trigger }, backlog),
        ...sample('microbank_trigger_dead_letters_waiting', { trigger }, deadLetters),
      ]),
    ]),
  ]
}
