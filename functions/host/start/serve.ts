import type { AddressInfo } from 'node:net'
import { hasDatabase } from '../../contexts.ts'
import { sqlstate } from '../../../eventing/database/database-errors.ts'
import { createLog, type Log } from '../../../monitoring/log.ts'
import { createMetrics, noMetrics, type Metrics } from '../../../monitoring/metrics.ts'
import { createTracer, noTracer, type Tracer } from '../../../monitoring/tracer.ts'
import { knowsClients } from '../audit/declared.ts'
import { createApp } from '../http/app.ts'
import type { CatalogueEntry } from '../catalogue-entry.ts'
import {
  databaseSetting,
  eventKeySetting,
  readConfig,
  type Config,
  type ConfigName,
  type OwnSettings,
} from '../config.ts'
import { connectFirst } from './connect-first.ts'
import { createTools, databaseOf } from './create-tools.ts'
import { createHttpServer } from '../http/http-server.ts'
import type { Operation } from '../operation.ts'
import type { Tools } from '../tools.ts'
import { portOpened, processFacts } from './start-timing.ts'
import type { CallerVerifiers } from '../http/request.ts'
import { checkKeys, createTokenVerifier } from '../http/tokens.ts'
import type { VerifyCall } from '../http/calls.ts'
import type { receiveEvent } from '../http/events.ts'
import type { Validators } from '../http/validation.ts'

export interface RunningFunction {
  port: number
  tools: Tools
  /** Finishes running requests, ends event streams, publishes committed events, closes the database, sends
   * the last spans and metrics. */
  stop(): Promise<void>
}

/** Names the settings an operation needs: its own, its database, the key that signs its events, and the keys
 * that verify callers, their addresses and events. */
export function neededSettings(operation: Operation): ConfigName[] {
  const database = databaseSetting(operation.context)
  const needed = [
    ...(operation.needs ?? []),
    ...(database ? [database] : []),
    ...(hasCallers(operation) ? (['JWKS'] as const) : []),
    ...(takesCalls(operation) ? (['CALL_KEYS'] as const) : []),
    ...(knowsClients(operation) ? (['FRONT_DOOR_KEY'] as const) : []),
    ...[...(database ? [operation.context] : []), ...statingContexts(operation)].map(eventKeySetting),
  ]
  return [...new Set(needed)]
}

/** The contexts whose event signatures the operation checks. */
function statingContexts({ consumes }: Operation): string[] {
  if (!consumes || consumes.contracts === 'any') return []
  return consumes.contracts.map(({ context }) => context)
}

/** Says whether other contexts may call the operation on behalf of customers. */
const takesCalls = ({ routes = [] }: Operation): boolean => routes.some(({ onBehalf }) => onBehalf)

const hasCallers = ({ routes = [] }: Operation): boolean => routes.some((route) => route.who !== 'anyone')

/** What the build makes for an operation, beside its own code. */
export interface Parts {
  validators: Validators
  /** All operations of the bank; empty for an operation that doesn't need them. */
  catalogue: readonly CatalogueEntry[]
  /** Those of its context. */
  settings: OwnSettings
  /** Only for an operation that consumes events: the others need not hold that code. */
  receiveEvent?: typeof receiveEvent | undefined
}

/** Starts the function. The port opens first; everything else opens when it is first used. It stops once no
 * request has come for `quietMs`. Throws if a setting is missing or wrong. */
export async function serve(
  operation: Operation,
  parts: Parts,
  env: NodeJS.ProcessEnv = process.env,
  quietMs = QUIET_MS,
): Promise<RunningFunction> {
  const { validators, catalogue, settings, receiveEvent } = parts
  if (operation.consumes && !receiveEvent)
    throw new Error('it consumes events, so it must be started with what receives them')
  const config = readConfig(neededSettings(operation), settings, env)
  // Tells this process from others of its function: in logs, traces and metrics.
  const instance = instanceId()
  const log = createLog(
    { service: operation.name, revision: config.K_REVISION || undefined, instance },
    config.LOG_LEVEL,
  )
  const tracer = tracerFor(operation, config, log, instance)
  const spans = tracer.isOn ? await import('../http/spans.ts') : undefined
  const metrics = metricsFor(operation, config, log, instance)
  const database = databaseOf(operation, config, log, metrics)
  const tools = createTools(operation, { config, catalogue, log, database, tracer, spans, metrics })
  const callers: CallerVerifiers = {
    tokens: hasCallers(operation) ? createTokenVerifier(config.JWKS) : undefined,
    verifyCall: takesCalls(operation) ? callVerifier(operation, config) : undefined,
  }
  let ready = true
  const isReady = (): boolean => ready
  const endSpan = spans?.requestSpans(tracer)
  const endless = new Set<() => void>()
  const app = createApp({
    ...{ operation, validators, catalogue, receiveEvent, tools, callers, metrics, tracer, endSpan, isReady },
    endless,
  })

  let lastRequestAt = 0
  let inFlight = 0
  let handle = app
  const server = createHttpServer({ keepAliveTimeout: 65_000 }, (request, response) => {
    inFlight++
    lastRequestAt = performance.now()
    response.on('close', () => inFlight--)
    handle(request, response)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port: config.PORT, ...(config.HOST && { host: config.HOST }) }, resolve)
  })
  portOpened(operation.name, metrics)
  if (database) handle = connectFirst(database, app)
  const { port } = server.address() as AddressInfo
  const sweeping = hasDatabase(operation.context) ? sweepRegularly(tools) : undefined

  return {
    port,
    tools,
    async stop() {
      ready = false
      sweeping?.stop()
      await quiet(quietMs, () => {
        for (const end of endless) end()
        return inFlight === 0 ? lastRequestAt : Infinity
      })
      await new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeIdleConnections()
      })
      await tools.outbox.drain()
      await tools.db.close()
      await Promise.all([tracer.stop(), metrics.stop()])
    },
  }
}

/** Few functions are called on behalf of customers, so the others don't hold that code. */
function callVerifier({ name }: Operation, { CALL_KEYS: keys }: Config): VerifyCall {
  checkKeys(keys, 'CALL_KEYS')
  let verifier: Promise<VerifyCall> | undefined
  const load = async () => (await import('../http/calls.ts')).createCallVerifier(keys, name)
  return async (token, call) => (await (verifier ??= load()))(token, call)
}

/** Returns an id that no other process has. It is no secret, so it does without node:crypto, which would have
 * to be loaded before the port opens. */
const instanceId = (): string =>
  Array.from({ length: 2 }, () =>
    Math.floor(Math.random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0'),
  ).join('')

function tracerFor({ name, context }: Operation, config: Config, log: Log, instance: string): Tracer {
  if (!config.OTEL_EXPORTER_OTLP_ENDPOINT) return noTracer
  return createTracer({
    endpoint: config.OTEL_EXPORTER_OTLP_ENDPOINT,
    headers: config.OTEL_EXPORTER_OTLP_HEADERS,
    gateway: config.LOCAL_GATEWAY,
    ratio: config.OTEL_TRACES_SAMPLER_ARG,
    perSecondMax: config.TRACES_PER_SECOND_MAX,
    resource: {
      'service.namespace': 'microbank',
      'service.name': name,
      'service.instance.id': instance,
      'microbank.context': context,
      ...(config.K_REVISION && { 'faas.version': config.K_REVISION }),
    },
    facts: processFacts,
    log,
  })
}

function metricsFor(operation: Operation, config: Config, log: Log, instance: string): Metrics {
  if (!config.OTEL_EXPORTER_OTLP_METRICS_ENDPOINT) return noMetrics
  return createMetrics({
    endpoint: config.OTEL_EXPORTER_OTLP_METRICS_ENDPOINT,
    headers: config.OTEL_EXPORTER_OTLP_HEADERS,
    gateway: config.LOCAL_GATEWAY,
    service: operation.name,
    revision: config.K_REVISION,
    instance,
    keys: () => [
      ...(hasCallers(operation) ? config.JWKS.keys : []),
      ...(takesCalls(operation) ? config.CALL_KEYS.keys : []),
    ],
    log,
  })
}

// Milliseconds. The first sweep waits until the request that started the process is out of the way.
const SWEEP_MS = { first: 1_000, every: 5_000 }

/** Publishes, while the process lives, events that were left in the outbox: by a process that died between
 * its commit and the Broker's confirmation (its replacement begins here), or by this one while the Broker
 * was unreachable. */
function sweepRegularly({ outbox, log }: Tools): { stop(): void } {
  let timer = setTimeout(() => void sweep(), SWEEP_MS.first).unref()
  let isStopped = false
  async function sweep(): Promise<void> {
    await outbox
      .sweep()
      .catch((error: Error) => log.warn('sweep failed', { error: error.message, sqlstate: sqlstate(error) }))
    if (!isStopped) timer = setTimeout(() => void sweep(), SWEEP_MS.every).unref()
  }
  return {
    stop() {
      isStopped = true
      clearTimeout(timer)
    },
  }
}

const QUIET_MS = 200
const QUIET_WAIT_MAX_MS = 3_000

/** Waits until no request has come for `quietMs`, because the platform still sends some after SIGTERM. Gives
 * up after 3 s of steady requests; closing the server still finishes those that are running. */
async function quiet(quietMs: number, lastActivity: () => number): Promise<void> {
  const startedAt = performance.now()
  for (;;) {
    const since = Math.max(lastActivity(), startedAt)
    if (performance.now() - since >= quietMs || performance.now() - startedAt >= QUIET_WAIT_MAX_MS) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
