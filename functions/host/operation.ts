import type { CloudEventV1 } from 'cloudevents'
import type { EventContract } from '../../eventing/contracts/contract.ts'
import type { EventMessage } from '../../eventing/message.ts'
import type { CatalogueEntry, RouteAddress } from './catalogue-entry.ts'
import type { Audits } from './audit/about.ts'
import type { Answer } from './answer-of.ts'
import type { ConfigName } from './config.ts'
import type { Exchange } from './http/exchange.ts'
import type { ProblemType } from './problems.ts'
import type { RouteRate } from './rate/route-rate.ts'
import type { Infer, Schema } from './schema.ts'
import type { Tools } from './tools.ts'
import type { Reply } from './reply.ts'
import type { Context } from '../contexts.ts'
import type { RouteRequest } from './route-request.ts'

/** What a bank operation declares about itself. The host makes an HTTP function of it, and the front door its
 * public routes. Validation and the metric labels come from the same declaration. */
export interface Operation {
  /** The name in file, test, bundle, Knative Service and metric label. */
  name: string
  /** The folder under functions/ that owns it; its database, if it has one (see contexts.ts). */
  context: Context
  summary: string
  /** Settings that this operation reads beyond the usual ones (see config.ts). A missing one stops the
   * start. */
  needs?: readonly ConfigName[]
  /** Makes what its handlers share: once per process, when the first of them is called. */
  state?: (tools: Tools) => unknown
  /** True if it reads the catalogue of all operations, which the bundles of others leave out. */
  readsCatalogue?: boolean
  routes?: readonly AnyRoute[]
  /** What a mounted handler answers by itself, for the contract. Their paths are whole. */
  ownRoutes?: readonly DescribedRoute[]
  /** Events that a Trigger delivers to this operation, at POST /events. */
  consumes?: Consumer<never>
  /** For a function that is not a bank operation (the front door): makes the handler of all requests for
   * which the host has no endpoint. */
  mount?: (
    tools: Tools,
    catalogue: readonly CatalogueEntry[],
  ) => (exchange: Exchange) => Promise<void> | undefined
}

/** 'signed-in' is any user with a valid token, whatever their role. 'contexts' is nobody but the contexts in
 * `onBehalf`. */
export type Who = 'anyone' | 'signed-in' | 'operator' | 'contexts'

/** What the contract says of a route (functions/host/contract). */
export interface DescribedRoute extends RouteAddress {
  who: Who
  summary: string
  /** Its name for generated clients, if the one made of the path reads badly. */
  operationId?: string
  body?: Schema
  /** Schema of the parts of a body of multipart/form-data, which the handler reads itself. */
  multipart?: Schema
  query?: Schema
  params?: Schema
  /** The answer per success status. */
  answers: Readonly<Record<number, Answer>>
  /** Refusals of this route, besides those that the host gives. */
  problems?: readonly ProblemType[]
  /** How often one client may call this, if it is dearer than what the front door counts by itself. */
  rate?: RouteRate
  /** True for a POST or PATCH that changes something once: the handler gets the Idempotency-Key. */
  idempotent?: boolean
  /** True if the route honours `Prefer: respond-async`. */
  async?: boolean
  /** True if the route goes on after the event that Last-Event-ID names. */
  resumes?: boolean
  /** For the session of a browser, at the front door: whether a request needs the cookie with the refresh
   * token, or takes it if it is there. */
  refreshCookie?: 'required' | 'optional'
  /** True if the front door answers this by itself, with an ETag, and with 304 to whoever has it. Whether
   * answers of functions have one follows from tagged.ts. */
  etag?: boolean
}

/** `State` is what the operation's `state` makes. */
export interface AnyRoute<State = never> extends DescribedRoute {
  /** Largest body in bytes, if the usual 102,400 (100 KiB) are too few. */
  bodyBytesMax?: number
  /** What it leaves in the audit. Without this, a GET is audited as 'read', everything else as 'change'. */
  audits?: Audits
  /** Typed by route(); the host calls it once the request has passed the schemas. */
  handle: (request: never, tools: Tools, state: State) => Promise<Reply>
}

/** A route whose handler gets what its schemas say. */
export interface Route<B extends Schema, Q extends Schema, P extends Schema, State> extends AnyRoute<State> {
  body?: B
  query?: Q
  params?: P
  handle: (request: RouteRequest<Infer<B>, Infer<Q>, Infer<P>>, tools: Tools, state: State) => Promise<Reply>
}

/** One arrival of an event. */
export interface EventDelivery {
  /** W3C traceparent of the delivery's own span. */
  traceparent: string
  /** The event as it came, with the data's bytes. */
  message: EventMessage
}

export interface Consumer<State = unknown> {
  /** What it takes, each only with the signature of the contract's context. 'any' takes all events, signed or
   * not: it must do nothing that an event could lie about. */
  contracts: readonly EventContract[] | 'any'
  /** Called at least once per event; its effect must happen once (see eventing/inbox.ts). If it throws, the
   * Broker tries again, and at last stores a dead letter. Throw an EventRefusedError if the event can never
   * be processed. */
  receive: (
    event: CloudEventV1<unknown>,
    tools: Tools,
    state: State,
    delivery: EventDelivery,
  ) => Promise<void>
}

/** An operation whose handlers all take the state that it makes. */
interface Declaration<State> extends Operation {
  state?: (tools: Tools) => State
  routes?: readonly AnyRoute<NoInfer<State>>[]
  consumes?: Consumer<NoInfer<State>>
}

/** Checks an operation's declaration at compile time. */
export const operation = <State = undefined>(declaration: Declaration<State>): Operation => declaration

/** Checks a route at compile time, and infers the handler's types from its schemas. */
export const route = <
  const B extends Schema = { type: 'null' },
  const Q extends Schema = { type: 'object'; additionalProperties: false },
  const P extends Schema = { type: 'object'; additionalProperties: false },
  State = unknown,
>(
  declaration: Route<B, Q, P, State>,
): Route<B, Q, P, State> => declaration
