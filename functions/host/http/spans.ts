import type { IncomingHttpHeaders } from 'node:http'
import type { Attributes } from '@opentelemetry/api'
import {
  formatTraceparent,
  isSampled,
  isSampledTrace,
  parseTraceparent,
  type Span,
} from '../../../monitoring/trace.ts'
import type { Tracer } from '../../../monitoring/tracer.ts'
import type { Work } from '../../../monitoring/ended-span.ts'
import { sqlstate, type Database, type Transaction } from '../database/database.ts'
import type { Exchange } from './exchange.ts'
import type { Pipeline } from './pipeline.ts'
import type { Send } from './send.ts'

/** What a span says, without its start time. Names and attributes follow OpenTelemetry's semantic conventions
 * for HTTP, databases and CloudEvents (https://opentelemetry.io/docs/specs/semconv/). They never hold values,
 * bodies or queries. */
type UntimedWork = Omit<Work, 'startedAt'>

/** Returns the function that ends a request's span; call it when the answer was sent or the client is gone.
 * `startedAt` is when the request came, by performance.now(). The first span of the process is marked as a
 * cold start. Unknown addresses get no span: most such requests are scans for weak spots of other servers.
 * The function returns the trace's id; undefined if there is no span. */
export function requestSpans(tracer: Tracer): (exchange: Exchange, startedAt: number) => string | undefined {
  let isFirst = true
  return (exchange, startedAt) => {
    const { span, request, handler } = exchange
    if (handler === 'none' || !isSampled(span)) return undefined
    const work = handler === '/events' ? deliveredWork(request.headers) : requestWork(exchange)
    if (isFirst) work.attributes['faas.coldstart'] = true
    isFirst = false
    tracer.end(span, { ...work, startedAt, error: errorOf(exchange) })
    return span.traceId
  }
}

function requestWork({ request: { method = '' }, response, path, handler }: Exchange): UntimedWork {
  return {
    name: `${method} ${handler}`,
    kind: 'server',
    attributes: {
      'http.request.method': method,
      'http.route': handler,
      'http.response.status_code': response.statusCode,
      'url.path': path,
      'url.scheme': 'http',
    },
  }
}

/** The work on an event belongs to who stated it, and has a link to the attempt that delivered it. */
function deliveredWork(headers: IncomingHttpHeaders): UntimedWork {
  const { traceparent, 'ce-traceparent': stated } = headers
  const delivery =
    traceparent && stated && traceparent !== stated ? parseTraceparent(String(traceparent)) : undefined
  return { ...eventWork('process', headers), ...(delivery && { links: [delivery] }) }
}

function eventWork(operation: 'send' | 'process', headers: IncomingHttpHeaders): UntimedWork {
  const type = String(headers['ce-type'])
  return {
    name: `${operation} ${type}`,
    kind: operation === 'send' ? 'producer' : 'consumer',
    attributes: {
      'messaging.operation.name': operation,
      'messaging.operation.type': operation,
      'messaging.destination.name': type,
      'cloudevents.event_type': type,
      'cloudevents.event_id': String(headers['ce-id']),
    },
  }
}

function errorOf({ response }: Exchange): string | undefined {
  if (!response.writableFinished) return 'disconnected'
  return response.statusCode >= 500 ? String(response.statusCode) : undefined
}

const LINKS_MAX = 32

/** Wraps the database so that each statement and transaction has a span in the traces of its requests. If it
 * is for several requests, the span belongs to the first and links to others (at most 32). */
export function databaseWithSpans(db: Database, tracer: Tracer): Database {
  const spanned = async <T>(
    name: string,
    traceparents: readonly string[] | undefined,
    run: () => Promise<T>,
  ): Promise<T> => {
    const [parent, ...others] = (traceparents ?? []).filter(isSampledTrace)
    if (parent === undefined) return run()
    const attributes: Attributes = { 'db.system.name': 'postgresql', 'db.query.summary': name }
    if (traceparents!.length > 1) attributes['db.operation.batch.size'] = traceparents!.length
    const links = others.slice(0, LINKS_MAX).map((other) => parseTraceparent(other)!)
    return timed(tracer, tracer.start(parent), { name, kind: 'client', attributes, links }, run)
  }
  const within = (inner: Transaction): Transaction => ({
    query: (statement) =>
      spanned(statement.name ?? 'query', statement.traceparents, () => inner.query(statement)),
  })
  return {
    ...within(db),
    transaction: (work, traceparent) =>
      spanned('transaction', traceparent === undefined ? undefined : [traceparent], () =>
        db.transaction((tx) => work(within(tx)), traceparent),
      ),
    close: () => db.close(),
  }
}

/** Wraps the HTTP client so that each request with a traceparent has a span, and each event sent to the
 * Broker too. A request carries the new span's traceparent. An event keeps the traceparent of the request
 * that emitted it, as stored in the outbox. */
export function sendWithSpans(send: Send, tracer: Tracer): Send {
  const sendOne: (...request: Parameters<Send>) => ReturnType<Send> = async (request) => {
    const { method, url, headers } = request
    const parent = headers?.traceparent
    if (parent === undefined || !isSampledTrace(parent)) return send(request)
    const span = tracer.start(parent)
    const { host, origin, pathname } = new URL(url)
    const attributes: Attributes = {
      'http.request.method': method,
      'server.address': host,
      'url.full': origin + pathname,
    }
    const work: UntimedWork = { name: method, kind: 'client', attributes }
    return timed(tracer, span, work, async () => {
      const answer = await send({ ...request, headers: { ...headers, traceparent: formatTraceparent(span) } })
      attributes['http.response.status_code'] = answer.status
      if (answer.status >= 400) work.error = String(answer.status)
      return answer
    })
  }
  return Object.assign(sendOne, { pipeline: (url: string) => pipelineWithSpans(send.pipeline(url), tracer) })
}

function pipelineWithSpans(pipeline: Pipeline, tracer: Tracer): Pipeline {
  return {
    post(headers, body, done) {
      const parent = headers['ce-traceparent']
      if (parent === undefined || !isSampledTrace(parent)) return pipeline.post(headers, body, done)
      const startedAt = performance.now()
      pipeline.post(headers, body, (status) => {
        const error = status >= 200 && status < 300 ? undefined : String(status || 'no answer')
        tracer.end(tracer.start(parent), { ...eventWork('send', headers), startedAt, error })
        done(status)
      })
    },
  }
}

/** Runs `run` and ends its span, also if it throws. */
async function timed<T>(tracer: Tracer, span: Span, work: UntimedWork, run: () => Promise<T>): Promise<T> {
  const startedAt = performance.now()
  try {
    const result = await run()
    tracer.end(span, { ...work, startedAt })
    return result
  } catch (error) {
    tracer.end(span, { ...work, startedAt, error: sqlstate(error) ?? (error as Error).constructor.name })
    throw error
  }
}
