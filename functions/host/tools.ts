import type { EventContract } from '../../eventing/contracts/contract.ts'
import type { Outbox } from '../../eventing/outbox.ts'
import type { EventDraft } from '../../eventing/outbox-event.ts'
import type { Log } from '../../monitoring/log.ts'
import type { Metrics } from '../../monitoring/metrics.ts'
import type { CallFor } from './http/call-for.ts'
import type { FunctionClient } from './http/call.ts'
import type { CatalogueEntry } from './catalogue-entry.ts'
import type { Config } from './config.ts'
import type { Database, Transaction } from './database/database.ts'
import type { Send } from './http/send.ts'

/** A database transaction that can also emit events. They are stored in it and published after its commit. */
export interface Emitting extends Transaction {
  emit<Data>(contract: EventContract<Data>, event: EventDraft<Data>): void
}

/** What the host gives to every handler. Nothing in it is opened before it is first used. */
export interface Tools {
  db: Database
  outbox: Outbox
  /** Runs one database transaction with its events (the transactional outbox). `traceparent` is the
   * request's. */
  transact: <T>(traceparent: string, work: (tx: Emitting) => Promise<T>) => Promise<T>
  /** Calls another function over HTTP, with time-out, retries and a circuit breaker. */
  call: FunctionClient
  /** The same on behalf of a customer who is not there, with the key of the operation's context, which the
   * operation must need (docs/calls.md). */
  callFor: CallFor
  /** Sends a single HTTP request within the cluster. */
  send: Send
  config: Config
  /** All operations of the bank; empty for an operation that doesn't declare that it reads them. */
  catalogue: readonly CatalogueEntry[]
  log: Log
  /** What the operation measures of its own work. */
  metrics: Pick<Metrics, 'count' | 'observe'>
}
