import { createOutbox, writeEvents } from '../../../eventing/outbox.ts'
import type { EventDraft } from '../../../eventing/outbox-event.ts'
import type { EventContract } from '../../../eventing/contracts/contract.ts'
import type { Log } from '../../../monitoring/log.ts'
import type { Metrics } from '../../../monitoring/metrics.ts'
import type { Tracer } from '../../../monitoring/tracer.ts'
import { createFunctionClient } from '../http/call.ts'
import type { CatalogueEntry } from '../catalogue-entry.ts'
import { callKeySetting, databaseSetting, eventKeySetting, type Config } from '../config.ts'
import { openDatabase, type Database, type OpenDatabase } from '../database/database.ts'
import type { Operation } from '../operation.ts'
import { createSend } from '../http/send.ts'
import type { Tools } from '../tools.ts'

/** Puts spans around what goes to the database and to other functions; loaded only if traces are exported. */
export type Spans = typeof import('../http/spans.ts')

/** Opens the database of an operation's context; undefined if it has none. Connects later. */
export function databaseOf(
  operation: Operation,
  config: Config,
  log: Log,
  metrics: Metrics,
): OpenDatabase | undefined {
  const setting = databaseSetting(operation.context)
  if (!setting) return undefined
  return openDatabase({
    url: config[setting],
    poolMax: config.DATABASE_POOL_MAX,
    timeoutMs: config.DATABASE_TIMEOUT_MS,
    name: operation.name,
    log,
    metrics,
  })
}

export interface ToolParts {
  config: Config
  catalogue: readonly CatalogueEntry[]
  log: Log
  database: Database | undefined
  tracer: Tracer
  spans: Spans | undefined
  metrics: Metrics
}

/** Puts together what an operation's handlers get. Opens no connection. */
export function createTools(operation: Operation, parts: ToolParts): Tools {
  const { config, log, database = noDatabase(operation.name), tracer, spans, metrics } = parts
  const client = createSend(config.LOCAL_GATEWAY)
  const db = spans ? spans.databaseWithSpans(database, tracer) : database
  const send = spans ? spans.sendWithSpans(client, tracer) : client
  const signingKey = parts.database && config[eventKeySetting(operation.context)]
  const call = createFunctionClient(send, config.SERVICE_DOMAIN, metrics)
  const outbox = createOutbox({ db, post: send.pipeline(config.BROKER_URL).post, log, signingKey, metrics })

  return {
    db,
    outbox,
    send,
    transact: async (traceparent, work) => {
      const committed = await db.transaction(async (tx) => {
        const drafts: { contract: EventContract; event: EventDraft<unknown> }[] = []
        const result = await work({
          query: tx.query,
          emit: (contract, event) => void drafts.push({ contract: contract as EventContract, event }),
        })
        return { result, events: await writeEvents(tx, drafts, traceparent) }
      }, traceparent)
      outbox.publish(committed.events)
      return committed.result
    },
    call,
    callFor:
      (...customer) =>
      async (service, asked) => {
        const { createCallFor } = await import('../http/call-for.ts')
        const party = { context: operation.context, key: config[callKeySetting(operation.context)] }
        return createCallFor(call, party)(...customer)(service, asked)
      },
    config,
    catalogue: parts.catalogue,
    log,
    metrics,
  }
}

function noDatabase(name: string): Database {
  const refuse = (): never => {
    throw new Error(`${name} has no database`)
  }
  return { query: refuse, transaction: refuse, close: async () => {} }
}
