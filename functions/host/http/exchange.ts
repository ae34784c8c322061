import type { IncomingMessage, ServerResponse } from 'node:http'
import { formatTraceparent, type Span } from '../../../monitoring/trace.ts'
import type { Tracer } from '../../../monitoring/tracer.ts'
import { clientAddress, vouchFor } from './client-address.ts'
import { isClusterLocal } from './cluster-local.ts'
import type { BodyStream, Caller, IdempotencyKey, RouteRequest } from '../route-request.ts'

export interface ExchangeOptions {
  tracer: Tracer
  /** Whether all requests may be a stranger's, by whatever name they come: so it is at the front door. To
   * other functions a stranger comes by their own hosts. */
  facesStrangers: boolean
}

/** One request and its answer, and what the host knows about them. */
export class Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly path: string
  /** The text after the question mark; empty if there is none. */
  readonly search: string
  /** The route as declared, for metrics and logs; never the path as sent. Undefined for the platform's own
   * requests, which are not counted. */
  handler: string | undefined = 'none'
  readonly #tracer: Tracer
  readonly #facesStrangers: boolean
  #span: Span | undefined = undefined

  constructor(request: IncomingMessage, response: ServerResponse, options: ExchangeOptions) {
    const { url = '/' } = request
    const end = url.indexOf('?')
    this.request = request
    this.response = response
    this.#tracer = options.tracer
    this.#facesStrangers = options.facesStrangers
    this.path = end === -1 ? url : url.slice(0, end)
    this.search = end === -1 ? '' : url.slice(end + 1)
  }

  /** The span of this request, made when it is first read. An event belongs to the trace of the request that
   * emitted it, not to the trace of the Broker that delivers it. */
  get span(): Span {
    const { headers } = this.request
    return (this.#span ??= this.#tracer.start(
      (headers['ce-traceparent'] ?? headers.traceparent) as string | undefined,
      () => this.#facesStrangers || !isClusterLocal(this.request),
    ))
  }

  get traceId(): string {
    return this.span.traceId
  }

  /** W3C traceparent of the span. */
  get traceparent(): string {
    return formatTraceparent(this.span)
  }
}

/** What a route's handler gets. Values that few handlers read and that cost time to compute are getters. */
export class HandledRequest implements RouteRequest<unknown, unknown, unknown> {
  readonly body: unknown
  readonly query: unknown
  readonly params: unknown
  readonly caller: Caller
  readonly idempotencyKey: IdempotencyKey | undefined
  readonly bodyStream: BodyStream | undefined
  readonly respondAsync: boolean
  readonly #exchange: Exchange

  constructor(
    exchange: Exchange,
    {
      body,
      query,
      params,
      caller,
      idempotencyKey,
      bodyStream,
      respondAsync,
    }: Omit<HandledRequest, 'accept' | 'address' | 'client' | 'header' | 'lastEventId' | 'traceparent'>,
  ) {
    this.#exchange = exchange
    this.body = body
    this.query = query
    this.params = params
    this.caller = caller
    this.idempotencyKey = idempotencyKey
    this.bodyStream = bodyStream
    this.respondAsync = respondAsync
  }

  get accept(): string | undefined {
    return this.#exchange.request.headers.accept
  }

  get lastEventId(): string | undefined {
    return this.#exchange.request.headers['last-event-id'] as string | undefined
  }

  get header(): (name: string) => string | undefined {
    const { headers } = this.#exchange.request
    return (name) => headers[name] as string | undefined
  }

  get address(): string {
    return clientAddress(this.#exchange.request)
  }

  get client(): string | undefined {
    return vouchFor(this.#exchange.request)
  }

  get traceparent(): string {
    return this.#exchange.traceparent
  }
}
