import { statfs } from 'node:fs/promises'
import type { InstrumentName, Sample } from '../../monitoring/catalogue.ts'
import type { Log } from '../../monitoring/log.ts'
import { startFacts } from '../../monitoring/meter/facts.ts'
import { createKeptTracer } from '../../monitoring/meter/kept-tracer.ts'
import type { Meter } from '../../monitoring/meter/meter.ts'
import { createMetrics } from '../../monitoring/metrics.ts'
import { createTracer, noTracer, type Tracer } from '../../monitoring/tracer.ts'
import { METER_URL } from './gateway/hosts.ts'
import type { Backends } from './servers/backends.ts'
import type { RuntimeStatus } from './status.ts'

/**
 * Begins to read the facts of the contexts and the room on the disk, and reports of this process what
 * functions report of theirs.
 * @returns a function that ends both
 */
export function measure(
  { contexts, dataDir, log }: { contexts: readonly string[]; dataDir: string; log: Log },
  { databases }: Pick<Backends, 'databases'>,
  { meter, port }: { meter: Meter; port: number },
): () => Promise<unknown> {
  const urls = contexts.flatMap((context) => {
    const url = databases[context]?.meter
    return url ? [[context, url] as const] : []
  })
  const facts = startFacts({ databases: Object.fromEntries(urls), log })
  meter.addSource(() => facts.samples())
  meter.addSource(roomIn(dataDir))
  const gateway = { host: '127.0.0.1', port }
  const settings = { endpoint: METER_URL, headers: {}, gateway, service: 'runtime', revision: '', log }
  const metrics = createMetrics(settings)
  return () => Promise.all([facts.stop(), metrics.stop()])
}

/** Returns what traces the deliveries of the Brokers: to where the functions' spans go, too. */
export function brokerTracer(
  { env, log }: { env: NodeJS.ProcessEnv; log: Log },
  { spans }: Pick<Meter, 'spans'>,
): Tracer {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint } = env
  const resource = { 'service.namespace': 'microbank', 'service.name': 'broker' }
  if (endpoint === undefined) return createKeptTracer(spans, resource)
  return endpoint ? createTracer({ endpoint, headers: {}, ratio: 1, resource, log }) : noTracer
}

/** Returns a source that says how much room is left on the disk of the data folder. */
const roomIn = (dataDir: string) => async (): Promise<Sample[]> => {
  const { bavail, blocks, bsize } = await statfs(dataDir)
  const labels = { volume: 'data-folder' }
  return [
    { name: 'microbank_disk_free_bytes', labels, value: bavail * bsize },
    { name: 'microbank_disk_size_bytes', labels, value: blocks * bsize },
  ]
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
