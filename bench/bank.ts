import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { findRabbitmq, startRabbitmq } from '../knative/local/servers/rabbitmq.ts'
import type { Bench } from './bench.ts'
import type { BenchDatabases } from './databases.ts'
import { startServer, type ServerProcess } from './processes.ts'

export interface BenchBroker {
  /** URL of the ingress. */
  url: string
  /** amqp:// URL of its RabbitMQ node; undefined if events go through Postgres. */
  amqpUrl: string | undefined
}

/** Returns the URL of a Broker's ingress that will be started on this port. */
export const ingressUrl = (port: number): string => `http://127.0.0.1:${port}/`

/** Starts the Broker as it ships, with its Triggers, in a process of its own. It runs over a private RabbitMQ
 * node if the machine has RabbitMQ, else over Postgres. Events for a Service that isn't named in `services`
 * stay in its queue.
 * @param options `services` are base URLs of functions by name; `port` is a free one by default */
export async function startBroker(
  bench: Bench,
  databases: BenchDatabases,
  { services = {}, ...where }: { services?: Record<string, string>; port?: number } = {},
): Promise<BenchBroker> {
  const amqpUrl = await startNode(bench)
  const queue = amqpUrl ? { AMQP_URL: amqpUrl } : { POSTGRES_URL: databases.server.superuserUrl }
  const { port } = await startServer(bench, {
    ...where,
    script: join(bench.folder, 'broker.cjs'),
    env: { ...queue, SERVICES: JSON.stringify(services) },
  })
  return { url: ingressUrl(port), amqpUrl }
}

async function startNode(bench: Bench): Promise<string | undefined> {
  if (!findRabbitmq()) return undefined
  bench.progress.step('starting RabbitMQ')
  const node = await startRabbitmq({ dataDir: join(bench.folder, 'data/rabbitmq') })
  bench.undo.add(() => node.stop())
  return node.url
}

/** Starts a function's bundle with the environment that its Service gives it.
 * @param firstRequest the request whose 200 counts as the first answer; by default /healthz */
export function startFunction(
  bench: Bench,
  databases: BenchDatabases,
  { name, brokerUrl, collectorUrl, meterUrl, firstRequest }: FunctionOptions,
): Promise<ServerProcess> {
  const { secrets, urls } = databases
  const passwords = Object.fromEntries(Object.entries(urls).map(([context, url]) => [context, url.functions]))
  const all = secrets.secrets(passwords)
  return startServer(bench, {
    script: join(bench.root, 'dist/functions', `${name}.cjs`),
    env: {
      K_SERVICE: name,
      K_CONFIGURATION: name,
      K_REVISION: `${name}-00001`,
      LOG_LEVEL: 'info',
      // As in the image. start.mjs has filled the cache.
      NODE_COMPILE_CACHE: join(bench.folder, 'compile-cache'),
      BROKER_URL: brokerUrl ?? 'http://127.0.0.1:1/',
      ...(collectorUrl && { OTEL_EXPORTER_OTLP_ENDPOINT: collectorUrl }),
      ...reportingTo(meterUrl),
      ...secrets.configMaps().get('token-keys'),
      ...secrets.configMaps().get('call-keys'),
      ...all.get('ledger-requests'),
      ...all.get('front-door-key'),
      ...all.get('ledger-events'),
      ...(name === 'notify' && all.get('notifications-events')),
      ...all.get(name === 'notify' ? 'notifications-database' : 'ledger-database'),
    },
    ...(firstRequest && { firstRequest }),
  })
}

interface FunctionOptions {
  name: string
  /** May be omitted if nothing is to be published. */
  brokerUrl?: string
  /** Where its traces go. Without it the function exports none. */
  collectorUrl?: string | undefined
  /** Where it reports what it counts. Without it the function reports nothing. */
  meterUrl?: string | undefined
  firstRequest?: { path: string; headers?: Record<string, string> }
}

/** The setting by which a function reports what it counts there. */
export const reportingTo = (meterUrl: string | undefined): Record<string, string> =>
  meterUrl === undefined ? {} : { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: `${meterUrl}/v1/metrics` }

/** Starts a collector that takes traces and reports, and throws them away. */
export const startCollector = (bench: Bench): Promise<ServerProcess> =>
  startServer(bench, { script: join(bench.folder, 'collector.cjs'), env: {} })

/** Returns a prefix for idempotency keys that no other run has used. */
export const keyPrefix = (): string => randomBytes(8).toString('hex')
