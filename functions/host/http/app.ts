import type { RequestListener, ServerResponse } from 'node:http'
import type { Metrics } from '../../../monitoring/metrics.ts'
import type { Tracer } from '../../../monitoring/tracer.ts'
import { auditsOf, knowsClients } from '../audit/declared.ts'
import { answer, answeredProblem, answerError } from './answer.ts'
import { readJson } from './body.ts'
import type { CatalogueEntry } from '../catalogue-entry.ts'
import { trust, type Trust } from './client-address.ts'
import { isStranger } from './cluster-local.ts'
import type { receiveEvent } from './events.ts'
import { Exchange, HandledRequest } from './exchange.ts'
import { health } from './health.ts'
import type { AnyRoute, Consumer, Operation } from '../operation.ts'
import type { Caller, IdempotencyKey } from '../route-request.ts'
import type { LimitRoute } from '../rate/limit-route.ts'
import { createPathTable } from './path-table.ts'
import { problem, problems } from '../problems.ts'
import {
  authenticate,
  idempotencyKey,
  integersOf,
  prefersAsync,
  readQuery,
  type CallerVerifiers,
} from './request.ts'
import type { Tools } from '../tools.ts'
import { unauthenticated } from './tokens.ts'
import { routeKey, validate, type Validators } from './validation.ts'

export interface AppOptions {
  operation: Operation
  validators: Validators
  /** All operations of the bank; empty for an operation that doesn't need them. */
  catalogue: readonly CatalogueEntry[]
  tools: Tools
  /** Handles events; undefined only if the operation consumes none. */
  receiveEvent: typeof receiveEvent | undefined
  callers: CallerVerifiers
  metrics: Metrics
  tracer: Tracer
  /** Ends the span of a request that began at `startedAt`, and returns its trace's id; undefined if nothing
   * is traced. */
  endSpan: ((exchange: Exchange, startedAt: number) => string | undefined) | undefined
  /** False once the process has been told to stop. */
  isReady: () => boolean
  /** How to end each answer that has no end of its own. */
  endless: Set<() => void>
}

type Handle = (exchange: Exchange, params: Record<string, string>) => Promise<void> | void

/** One path: a handler per method. */
type Endpoint = Map<string, Handle>

/** Returns the HTTP side of one operation: its routes, the endpoint for its events, and health. It
 * uses node:http alone, because a framework would take most of a cold start and of a small request's cost. */
export function createApp(options: AppOptions): RequestListener {
  const { operation, tools, catalogue, tracer, isReady } = options
  const observe = observer(options)
  const find = createPathTable(endpoints({ ...options, state: stateOf(options) }))
  const trusted = trustOf(options)
  const exchangeOptions = { tracer, facesStrangers: operation.mount !== undefined }
  const others = operation.mount?.(tools, catalogue) ?? answerNotFound(operation)

  return (request, response) => {
    trust(request, trusted)
    const exchange = new Exchange(request, response, exchangeOptions)
    observe(exchange)
    if (!isReady()) response.setHeader('connection', 'close')
    const found = find(exchange.path)
    const handling = found ? handle(found.target, exchange, found.params) : others(exchange)
    handling?.catch((error: unknown) => {
      if (response.headersSent) response.destroy()
      else answerError(response, error, tools.log, exchange.traceId)
    })
  }
}

type InsideOptions = AppOptions & { state: () => unknown }

/** What the operation's handlers share, made when the first of them asks. */
function stateOf({ operation, tools }: AppOptions): () => unknown {
  let made: { state: unknown } | undefined
  return () => (made ??= { state: operation.state?.(tools) }).state
}

/** Only the front door has a DomainMapping, and nobody vouches to it. On a cluster, requests to other
 * functions pass the activator or not, so their hops can't be counted. Operations that name the front door's
 * key themselves are the exception: all their requests pass it (knative/services/patches/activator.yaml). */
function trustOf({ operation, tools: { config } }: AppOptions): Trust {
  const { TRUSTED_HOPS: hops, TRUSTED_HOPS_MAPPED: mapped, SERVICE_DOMAIN: localDomain } = config
  if (operation.mount) return { hops, ...(mapped > 0 && { hopsOfMapped: mapped, localDomain }) }
  const canCount = config.LOCAL_GATEWAY || operation.needs?.includes('FRONT_DOOR_KEY')
  return {
    hops: canCount || hops === 0 ? hops : 'varying',
    ...(knowsClients(operation) && { frontDoorKey: config.FRONT_DOOR_KEY }),
  }
}

/** Counts, traces and logs a request when its answer has gone out. */
function observer({ metrics, endSpan, tools: { log } }: AppOptions): (exchange: Exchange) => void {
  return (exchange) => {
    const startedAt = performance.now()
    const { request, response } = exchange
    const writtenBefore = request.socket.bytesWritten
    response.on('close', () => {
      const { handler } = exchange
      if (handler === undefined) return
      const traceId = endSpan?.(exchange, startedAt)
      if (!response.writableFinished) return
      const milliseconds = performance.now() - startedAt
      const { method = '' } = request
      const { statusCode: status } = response
      const bodyBytes = Number(request.headers['content-length'] ?? 0)
      const writtenBytes = request.socket.bytesWritten - writtenBefore
      metrics.request(method, handler, status, milliseconds / 1000, bodyBytes, writtenBytes, traceId)
      const refusal = status >= 400 ? answeredProblem(response) : undefined
      if (refusal) metrics.count('microbank_refusals_total', refusal)
      const level = status >= 500 ? 'error' : status >= 400 ? 'info' : 'debug'
      if (log.takes(level))
        log[level]('request', { trace_id: exchange.traceId, method, handler, status, milliseconds })
    })
  }
}

function* endpoints(options: InsideOptions): Iterable<[string, Endpoint]> {
  const { operation } = options
  const routes = operation.routes ?? []
  for (const path of new Set(routes.map((route) => route.path))) {
    const here = routes.filter((route) => route.path === path)
    const endpoint: Endpoint = new Map(here.map((route) => [route.method, routeHandler(route, options)]))
    yield [path, endpoint]
    // The path is the same as behind the front door. An operation with one route also answers at `/`.
    if (routes.length === 1) yield ['/', endpoint]
  }
  if (operation.consumes) yield ['/events', new Map([['POST', eventHandler(options)]])]
  yield* ownEndpoints(options)
}

function handle(endpoint: Endpoint, exchange: Exchange, params: Record<string, string>) {
  const { method = '' } = exchange.request
  const handler = endpoint.get(method === 'HEAD' ? 'GET' : method)
  if (handler) return handler(exchange, params)
  const methods = [...endpoint.keys()]
  const allow = (methods.includes('GET') ? [...methods, 'HEAD'] : methods).join(', ')
  answer(
    exchange.response,
    problem(problems.methodNotAllowed, `Allowed here: ${allow}.`, { headers: { allow } }),
  )
}

function routeHandler(route: AnyRoute, options: InsideOptions): Handle {
  const { operation, tools, callers, state, endless } = options
  const validators = options.validators[routeKey(route)] ?? {}
  const { streamedBodyBytesMax, rate } = route
  const hasBody = route.method !== 'GET' && streamedBodyBytesMax === undefined
  const integers = integersOf(route.query)
  const audits = auditsOf(route)
  let limit: Promise<LimitRoute> | undefined

  return async (exchange, params) => {
    exchange.handler = route.path
    const { request, response, search } = exchange
    const caller = route.who === 'anyone' ? undefined : await authenticate(request, route, callers)
    if (rate) {
      // Few routes are dear, so the others don't hold that code.
      limit ??= import('../rate/limit-route.ts').then(({ createRouteLimiter }) =>
        createRouteLimiter(rate, tools),
      )
      await (
        await limit
      )(exchange, caller)
    }
    // Postgres can't store a NUL, and most schemas of text allow it.
    if (request.url!.includes('%00'))
      return answer(response, problem(problems.invalidInput, 'The URL has a NUL.'))
    validate(validators.params, 'params', params)
    const query = readQuery(search, integers)
    validate(validators.query, 'query', query)
    const body = hasBody ? await readJson(request, route.bodyBytesMax) : undefined
    // Before the schema fills in what was left out.
    if (hasBody && caller?.via && !(await import('./calls.ts')).signsBody(caller.token, body))
      throw unauthenticated('The token of this call is for another body.', { tokenSent: true })
    if (hasBody) validate(validators.body, 'body', body)

    const keyFor = (content: unknown): IdempotencyKey | undefined =>
      route.idempotent
        ? idempotencyKey(request, { operation, route, caller, body: content, params })
        : undefined
    const key = keyFor(body)
    const handled = new HandledRequest(exchange, {
      body,
      query,
      params,
      // A route for anyone has no caller, and its handler, by its declaration, does not use one.
      caller: caller as Caller,
      ...(streamedBodyBytesMax === undefined
        ? { idempotencyKey: key, bodyStream: undefined }
        : {
            idempotencyKey: undefined,
            // Few functions read such bodies, so the others don't hold that code.
            bodyStream: (await import('./body-stream.ts')).openBody(request, streamedBodyBytesMax, keyFor),
          }),
      // An order would be posted without its context, so calls on behalf are answered at once.
      respondAsync: route.async === true && !caller?.via && prefersAsync(request),
    })
    // The validators, and operation(), have made the declared types true.
    const handle = (given: Tools) => route.handle(handled as never, given, state() as never)
    const isAudited = audits === 'change' || (audits === 'read' && caller?.role === 'operator')
    const reply = isAudited
      ? await (
          await import('../audit/audited.ts')
        ).audited({ operation, route, kind: audits, request: handled, tools }, handle)
      : await handle(tools)
    const { stream } = reply
    if (!stream) return answer(response, reply)
    // Few functions stream, so the others don't hold that code.
    const { answerStreamed } = await import('./streamed-answer.ts')
    const { traceId } = exchange
    await answerStreamed(response, { ...reply, stream }, { log: tools.log, traceId, endless })
  }
}

function eventHandler({ operation, tools, validators, state, ...options }: InsideOptions): Handle {
  return async (exchange) => {
    exchange.handler = '/events'
    await options.receiveEvent!(exchange, operation.consumes as Consumer, { tools, validators, state })
  }
}

/** The endpoints that every function has for the platform. */
function* ownEndpoints(options: AppOptions): Iterable<[string, Endpoint]> {
  const { operation, tools, isReady } = options
  // Only the front door has a DomainMapping.
  const isMapped = operation.mount !== undefined && tools.config.TRUSTED_HOPS_MAPPED > 0
  const own = (path: string, give: Handle, isInner = false): [string, Endpoint] => [
    path,
    new Map([
      [
        'GET',
        (exchange: Exchange, params: Record<string, string>) => {
          exchange.handler = undefined
          if (isInner && isStranger(exchange.request, isMapped)) return notFound(operation, exchange.response)
          return give(exchange, params)
        },
      ],
    ]),
  ]
  yield own('/healthz', ({ response }) => answer(response, { status: 200, body: { status: 'ok' } }))
  const readiness: Handle = ({ response }) => {
    if (isReady()) answer(response, { status: 200, body: { status: 'ok' } })
    else answer(response, problem(problems.unavailable, 'This process is stopping.'))
  }
  yield own('/readyz', readiness, true)
  // A mounted handler reports its own health.
  if (!operation.mount)
    yield own('/health', async ({ response }) => answer(response, await health(operation, tools)))
}

const answerNotFound =
  (operation: Operation) =>
  ({ response }: Exchange): undefined => {
    notFound(operation, response)
  }

const notFound = ({ name }: Operation, response: ServerResponse): void =>
  answer(response, problem(problems.notFound, `${name} has nothing at this address.`))
