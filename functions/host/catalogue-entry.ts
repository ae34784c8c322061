import type { CallingContext, Context } from '../contexts.ts'

/** A route's method and path. */
export interface RouteAddress {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Path below `/api`, with parameters in braces: `/accounts/{id}`. */
  path: string
  /** If several operations share method and path: the values in the body that choose this one. */
  when?: Readonly<Record<string, string>>
  /** Set if the handler may answer with a `stream`. The front door then limits how long the answer takes to
   * begin, and its silence, but hardly how long it takes as a whole. */
  streams?: StreamKind
  /** Largest body in bytes, if the handler reads the body itself, while it comes (see BodyStream). */
  streamedBodyBytesMax?: number
  /** Contexts that may call this route on behalf of customers (docs/calls.md). All others refuse such
   * calls. */
  onBehalf?: readonly CallingContext[]
}

/** A document, which has an end, or Server-Sent Events, which have none of their own. */
export type StreamKind = 'document' | 'events'

/** What the front door must know about an operation, as plain JSON. */
export interface CatalogueEntry {
  name: string
  context: Context
  routes: RouteAddress[]
}
