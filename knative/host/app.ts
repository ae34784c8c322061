import express, { type Express, type Request, type Response } from 'express'
import type { Metrics } from '../../monitoring/metrics.ts'
import { formatTraceparent, startSpan } from '../../monitoring/trace.ts'
import { answer, answerError } from './answer.ts'
import type { CatalogueEntry } from './catalogue.ts'
import { receiveEvent } from './events.ts'
import { health } from './health.ts'
import type { AnyRoute, Caller, Operation, RouteRequest } from './operation.ts'
import { problem, problems } from './problems.ts'
import { authenticate, idempotencyKey, prefersAsync, readBody, readQuery } from './request.ts'
import type { Services } from './services.ts'
import type { TokenVerifier } from './tokens.ts'
import { routeKey, validate, type Validators } from './validation.ts'

export interface AppOptions {
  operation: Operation
  validators: Validators
  /** All operations of the bank; empty for those that don't ask for it. */
  catalogue: readonly CatalogueEntry[]
  services: Services
  /** Undefined only where no route needs a caller. */
  tokens: TokenVerifier | undefined
  metrics: Metrics
  /** False once the process has been told to stop. */
  isReady: () => boolean
}

interface Locals extends Record<string, unknown> {
  traceparent: string
  traceId: string
  startedAt: bigint
  /** The route as declared, for metrics and logs; never the path as sent. */
  handler: string
}

type Answer = Response<unknown, Locals>

// The endpoints that every function has for the platform; they are not counted as requests.
const OWN = 'own'

/** The express app of one operation: its routes, the endpoint for its events, health and metrics. */
export function createApp(options: AppOptions): Express {
  const app = express()
  // Each of these costs time per request and gives nothing here (the query is parsed by the routes themselves).
  app.disable('x-powered-by')
  app.disable('etag')
  app.set('query parser', false)
  // request.ip is then the last address that is not one of the platform's own proxies.
  app.set('trust proxy', ['loopback', 'linklocal', 'uniquelocal'])

  app.use((request, response: Answer, next) => {
    begin(request, response, options)
    next()
  })
  options.operation.mount?.(app, options.services, options.catalogue)
  mountRoutes(app, options)
  mountEvents(app, options)
  mountOwn(app, options)
  app.use((_request, response) => {
    answer(response, problem(problems.notFound, `${options.operation.name} has nothing at this address.`))
  })
  app.use((error: unknown, _request: Request, response: Answer, _next: () => void) => {
    if (response.headersSent) response.destroy()
    else answerError(response, error, options.services.log, response.locals.traceId)
  })
  return app
}

function begin(request: Request, response: Answer, { metrics, services, isReady }: AppOptions): void {
  const span = startSpan(request.get('traceparent'))
  Object.assign(response.locals, {
    traceparent: formatTraceparent(span),
    traceId: span.traceId,
    startedAt: process.hrtime.bigint(),
    handler: 'none',
  } satisfies Locals)
  if (!isReady()) response.setHeader('connection', 'close')
  response.on('finish', () => {
    const { handler, startedAt, traceId } = response.locals
    if (handler === OWN) return
    const seconds = Number(process.hrtime.bigint() - startedAt) / 1e9
    const { statusCode: status } = response
    metrics.observeRequest(
      { method: request.method, handler, status: `${Math.floor(status / 100)}xx` },
      seconds,
    )
    const level = status >= 500 ? 'error' : status >= 400 ? 'info' : 'debug'
    const milliseconds = Math.round(seconds * 1e6) / 1e3
    services.log[level]('request', {
      trace_id: traceId,
      method: request.method,
      handler,
      status,
      milliseconds,
    })
  })
}

function mountRoutes(app: Express, options: AppOptions): void {
  const routes = options.operation.routes ?? []
  for (const path of new Set(routes.map((route) => route.path))) {
    const here = routes.filter((route) => route.path === path)
    // The path is the same as behind the front door; an operation with one route answers at / too.
    const paths = routes.length === 1 ? [expressPath(path), '/'] : [expressPath(path)]
    for (const route of here) {
      const method = route.method.toLowerCase() as Lowercase<AnyRoute['method']>
      app[method](paths, (request: Request, response: Answer) =>
        handleRoute(route, request, response, options),
      )
    }
    onlyMethods(
      app,
      paths,
      here.map((route) => route.method),
    )
  }
}

async function handleRoute(
  route: AnyRoute,
  request: Request,
  response: Answer,
  options: AppOptions,
): Promise<void> {
  const { operation, validators, services, tokens } = options
  response.locals.handler = route.path
  const caller = route.who === 'anyone' ? undefined : await authenticate(request, route.who, tokens)
  const validator = validators[routeKey(route)] ?? {}
  const params: unknown = { ...request.params }
  validate(validator.params, 'params', params)
  const query = readQuery(request)
  validate(validator.query, 'query', query)
  const body = route.method === 'GET' ? undefined : await readBody(request, response)
  if (body !== undefined) validate(validator.body, 'body', body)

  const routeRequest: RouteRequest<unknown, unknown, unknown> = {
    body,
    query,
    params,
    // A route for anyone has no caller and its handler, by its declaration, does not look for one.
    caller: caller as Caller,
    idempotencyKey: route.idempotent
      ? idempotencyKey(request, { operation, route, caller, body, params })
      : undefined,
    respondAsync: route.async === true && prefersAsync(request),
    address: request.ip ?? '',
    traceparent: response.locals.traceparent,
  }
  // The validators have just made the declared types true.
  answer(response, await route.handle(routeRequest as never, services))
}

function mountEvents(app: Express, { operation, services, validators }: AppOptions): void {
  const { consumes } = operation
  if (!consumes) return
  app.post('/events', async (request, response: Answer) => {
    response.locals.handler = '/events'
    const { traceparent } = response.locals
    await receiveEvent(request, response, consumes, { services, validators, traceparent })
  })
  onlyMethods(app, ['/events'], ['POST'])
}

function mountOwn(app: Express, { operation, services, metrics, isReady }: AppOptions): void {
  const own = (path: string, handle: (response: Answer) => Promise<void> | void): void => {
    app.get(path, (_request, response: Answer) => {
      response.locals.handler = OWN
      return handle(response)
    })
  }
  own('/healthz', (response) => answer(response, { status: 200, body: { status: 'ok' } }))
  own('/readyz', (response) => {
    if (isReady()) answer(response, { status: 200, body: { status: 'ok' } })
    else answer(response, problem(problems.unavailable, 'This process is stopping.'))
  })
  own('/health', async (response) => answer(response, await health(operation, services)))
  own('/metrics', async (response) => {
    const { contentType, text } = await metrics.expose()
    response.writeHead(200, { 'content-type': contentType }).end(text)
  })
}

function onlyMethods(app: Express, paths: string[], methods: string[]): void {
  const allow = methods.includes('GET') ? [...methods, 'HEAD'].join(', ') : methods.join(', ')
  app.all(paths, (_request, response) => {
    answer(response, problem(problems.methodNotAllowed, `Allowed here: ${allow}.`, { headers: { allow } }))
  })
}

/** `/accounts/{id}` in the notation of express. */
const expressPath = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ':$1')
