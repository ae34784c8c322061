import type { IncomingMessage, ServerResponse } from 'node:http'
import type { SpanContext } from '@opentelemetry/api'
import { formatTraceparent, startSpan } from '../../monitoring/trace.ts'
import { clientAddress } from './client-address.ts'
import type { Caller, IdempotencyKey, RouteRequest } from './operation.ts'

/** One request and its answer, with what the host knows of them. */
export class Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly path: string
  /** What follows the question mark; empty where there is none. */
  readonly search: string
  /** The route as declared, for metrics and logs; never the path as sent. Undefined where the request is not
   * counted: those of the platform itself. */
  handler: string | undefined = 'none'
  #span: SpanContext | undefined = undefined

  constructor(request: IncomingMessage, response: ServerResponse) {
    const { url = '/' } = request
    const end = url.indexOf('?')
    this.request = request
    this.response = response
    this.path = end === -1 ? url : url.slice(0, end)
    this.search = end === -1 ? '' : url.slice(end + 1)
  }

  /** This request's own span, which begins when somebody first asks for it. */
  get span(): SpanContext {
    return (this.#span ??= startSpan(this.request.headers.traceparent as string | undefined))
  }

  get traceId(): string {
    return this.span.traceId
  }

  /** W3C traceparent of the span. */
  get traceparent(): string {
    return formatTraceparent(this.span)
  }
}

/** What a route's handler gets. Its getters are for what few handlers look at and what costs something. */
export class HandledRequest implements RouteRequest<unknown, unknown, unknown> {
  readonly body: unknown
  readonly query: unknown
  readonly params: unknown
  readonly caller: Caller
  readonly idempotencyKey: IdempotencyKey | undefined
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
      respondAsync,
    }: Omit<HandledRequest, 'address' | 'traceparent'>,
  ) {
    this.#exchange = exchange
    this.body = body
    this.query = query
    this.params = params
    this.caller = caller
    this.idempotencyKey = idempotencyKey
    this.respondAsync = respondAsync
  }

  get address(): string {
    return clientAddress(this.#exchange.request)
  }

  get traceparent(): string {
    return this.#exchange.traceparent
  }
}
