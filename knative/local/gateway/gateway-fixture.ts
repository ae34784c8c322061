import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request as httpRequest, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createLog } from '../../../monitoring/log.ts'
import { Meter } from '../../../monitoring/meter/meter.ts'
import { openFunctionLogs } from '../processes/function-log.ts'
import { openProcessRecords } from '../processes/leftovers.ts'
import { readManifests } from '../manifests/manifests.ts'
import { internalHandler, openListener, publicHandler, type Routes } from './router.ts'
import { RecentStarts } from '../serving/recent-starts.ts'
import { createServices } from '../serving/services.ts'

/** A Service for tests, of which only what a test needs is given. */
export interface TestService {
  name: string
  /** Body of the Node script that is the function. */
  script: string
  annotations?: Record<string, string>
  labels?: Record<string, string>
  containerConcurrency?: number
  timeoutSeconds?: number
}

/**
 * The script of an HTTP server that runs `onRequest` for each request. That code can use `request`,
 * `response` and `body`. The server answers /healthz itself, as every function does.
 */
export const server = (onRequest: string) => `
  const pid = process.pid
  require('node:http').createServer(async (request, response) => {
    if (request.url === '/healthz') return response.end()
    const chunks = []
    for await (const chunk of request) chunks.push(chunk)
    const body = Buffer.concat(chunks)
    ${onRequest}
  }).listen(process.env.PORT)`

export function serviceYaml(service: TestService): string {
  return JSON.stringify({
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Service',
    metadata: { name: service.name, labels: service.labels ?? {} },
    spec: {
      template: {
        metadata: {
          annotations: Object.fromEntries(
            Object.entries({ 'initial-scale': '0', ...service.annotations }).map(([name, value]) => [
              `autoscaling.knative.dev/${name}`,
              value,
            ]),
          ),
        },
        spec: {
          containerConcurrency: service.containerConcurrency ?? 0,
          timeoutSeconds: service.timeoutSeconds ?? 300,
          containers: [{ image: 'microbank', args: [service.name] }],
        },
      },
    },
  })
}

/** Makes a temporary folder with these files. */
export function folderWith(files: Record<string, string>): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'microbank-gateway-'))
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true })
    writeFileSync(join(path, name), content)
  }
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** Starts the gateway with real processes of these functions, without a database and without a Broker. */
export async function startGateway(tested: TestService[], brokers: Routes['brokers'] = new Map()) {
  const files = tested.flatMap(({ name, script }): [string, string][] => [[`functions/${name}.cjs`, script]])
  const yaml = tested.map((service): [string, string] => [
    `knative/services/${service.name}.yaml`,
    serviceYaml(service),
  ])
  const folder = folderWith(Object.fromEntries([...files, ...yaml]))
  const records = openProcessRecords(folder.path)
  const warnings: string[] = []
  const logs = openFunctionLogs(folder.path, (line) => warnings.push(line))
  const log = createLog({}, 'warn', (line) => warnings.push(line))
  const meter = new Meter({ log, version: '1' })
  const starts = new RecentStarts()
  const services = createServices(readManifests(folder.path).services, {
    bundles: join(folder.path, 'functions'),
    environmentOf: () => ({ PATH: process.env.PATH ?? '' }),
    logs,
    meter,
    starts,
    records,
    log,
  })
  const routes: Routes = {
    services,
    brokers,
    status: async () => ({ fine: true }),
    meter,
    log,
  }
  const open = await openListener(publicHandler(routes), 0, ['127.0.0.1'])
  const internal = await openListener(internalHandler(routes), 0, ['127.0.0.1'])
  for (const service of services.values()) service.start()
  return {
    folder: folder.path,
    warnings,
    services,
    starts,
    routes,
    open,
    internal,
    service: (name: string) => services.get(name)!,
    /** Sends a request to a Service through the public port. */
    call: (name: string, options: CallOptions = {}) =>
      call(open.port, { ...options, headers: { host: `${name}.microbank.localhost`, ...options.headers } }),
    async stop() {
      await Promise.all([open.stop(5000), ...[...services.values()].map((service) => service.stop())])
      await internal.stop(1000)
      await logs.close()
      folder.remove()
    },
  }
}

export interface CallOptions {
  method?: string
  path?: string
  headers?: OutgoingHttpHeaders
  body?: string | Buffer
}

export interface CallAnswer {
  status: number
  headers: IncomingHttpHeaders
  text: string
  /** The text as JSON. */
  json: <T = Record<string, unknown>>() => T
}

/** Sends one request on a connection of its own. Rejects if the connection is cut off. */
export function call(port: number, { method = 'GET', path = '/', headers = {}, body }: CallOptions) {
  return new Promise<CallAnswer>((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port, method, path, headers, agent: false })
    request.once('error', reject)
    request.once('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.once('error', reject)
      response.once('end', () => {
        const text = Buffer.concat(chunks).toString()
        resolve({
          status: response.statusCode!,
          headers: response.headers,
          text,
          json: () => JSON.parse(text),
        })
      })
    })
    request.end(body)
  })
}
