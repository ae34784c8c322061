export interface Caller {
  userId: string
  role: 'customer' | 'operator'
  /** The access token as it came, to call another function on the caller's behalf. */
  token: string
}

/** Idempotency-Key of a request, with what it is bound to: the caller and the request's content. */
export interface IdempotencyKey {
  /** Whose key it is: the user's id, or of a stranger the request's hash. Keys of different users never meet,
   * nor do those of strangers who ask for different things. */
  owner: string
  key: string
  /** SHA-256 of operation, route and canonical body; fields marked `x-secret` in the schema are left out. */
  requestHash: Buffer
}

export interface RouteRequest<Body, Query, Params> {
  body: Body
  query: Query
  params: Params
  /** Present on every route but those for 'anyone'. */
  caller: Caller
  idempotencyKey: IdempotencyKey | undefined
  /** `Prefer: respond-async`, on routes that declare `async`. */
  respondAsync: boolean
  /** Remote address, as far as it can be trusted: the last hop before the platform. */
  address: string
  /** W3C traceparent of this request's own span, to hand on in events and calls. */
  traceparent: string
}
