import type { CallingContext } from '../contexts.ts'

export interface Caller {
  userId: string
  role: 'customer' | 'operator'
  /** The context that calls on behalf of this customer, who is not there (docs/calls.md). */
  via?: CallingContext
  /** The access token as sent, to call another function on the caller's behalf. The token of a call on
   * behalf is good for nothing else. */
  token: string
}

/** The Idempotency-Key of a request, bound to the caller and the request's content. */
export interface IdempotencyKey {
  /** The user's id, with the context that calls on their behalf; for a caller without a token, the hash of
   * the request. So keys of different users never meet, nor do a user's own keys and those of a context, nor
   * the keys of requests without a token that ask for different things. */
  owner: string
  key: string
  /** The first 128 bits of SHA-256 of operation, route and canonical body. Fields marked `x-secret` in the
   * schema are left out. */
  requestHash: Buffer
}

/** What a call to another function on the caller's behalf passes on. */
export type OnBehalf = Pick<RouteRequest<unknown, unknown, unknown>, 'caller' | 'client' | 'traceparent'>

/** A body that the handler reads while it comes. */
export interface BodyStream {
  /** The header Content-Type; empty if there is none. */
  mediaType: string
  /** The bytes, once. They are read only as fast as they are asked for. Throws a ProblemError if the body is
   * too large, too slow, in too many tiny chunks, or ends too early. */
  parts: AsyncIterable<Buffer>
  /** Returns the request's Idempotency-Key, bound to what the handler found in the body; undefined if none
   * was sent. */
  keyFor: (content: unknown) => IdempotencyKey | undefined
}

export interface RouteRequest<Body, Query, Params> {
  body: Body
  query: Query
  params: Params
  /** Present on every route except those for 'anyone'. */
  caller: Caller
  idempotencyKey: IdempotencyKey | undefined
  /** Present on every route with `streamedBodyBytesMax`, which has no `body` and no `idempotencyKey`. */
  bodyStream: BodyStream | undefined
  /** The caller sent `Prefer: respond-async`, and the route declares `async`. */
  respondAsync: boolean
  /** The header Accept; undefined if there is none. */
  accept: string | undefined
  /** The header Last-Event-ID, with which clients of Server-Sent Events come back; undefined if there is
   * none. */
  lastEventId: string | undefined
  /** Returns any header; undefined if it was not sent. The name is in lower case. */
  header: (name: string) => string | undefined
  /** IP address of the client, as far as it can be trusted; empty if unknown (see http/client-address.ts). */
  address: string
  /** The same address with a signature, to pass on in calls (`client` of CallOptions); undefined without the
   * front door's key. */
  client: string | undefined
  /** W3C traceparent of this request's span, to pass on in events and calls. */
  traceparent: string
}
