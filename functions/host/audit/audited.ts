import type { Transaction } from '../database/database.ts'
import type { AnyRoute, Operation } from '../operation.ts'
import type { Reply } from '../reply.ts'
import type { Caller, RouteRequest } from '../route-request.ts'
import type { Tools } from '../tools.ts'
import type { AboutChange, AuditAbout } from './about.ts'
import { detailsOf, storable } from './details.ts'
import { ANY_UUID } from '../values/uuid-text.ts'

export interface AuditedCall {
  operation: Operation
  route: AnyRoute
  kind: 'change' | 'read'
  request: RouteRequest<unknown, unknown, unknown>
  tools: Tools
}

/** Runs a route's handler so that what it does is in the audit.
 *
 * A change: the handler's database transactions add the row, so there is either both or neither. What `work`
 * returns says what was changed; a refusal, and a repeat of an earlier answer, change nothing. Throws if the
 * handler answers that something was changed, and there is no row.
 *
 * A reading: the row is written before the answer goes out. Rejects, so gives no answer, if that fails. */
export async function audited(call: AuditedCall, handle: (tools: Tools) => Promise<Reply>): Promise<Reply> {
  if (call.kind === 'read') {
    const reply = await handle(call.tools)
    if (isDone(reply)) await auditReading(call, reply).catch((error: unknown) => giveUp(reply, error))
    return reply
  }
  const { db, transact } = call.tools
  let isRecorded = false
  const record =
    <Tx extends Transaction, T>(work: (tx: Tx) => Promise<T>) =>
    async (tx: Tx): Promise<T> => {
      const result = await work(tx)
      const about = aboutOf(result)
      if (!about) return result
      if (about !== 'nothing-changed') await write(tx, call, about, result as Partial<Reply>)
      isRecorded = true
      return result
    }
  const reply = await handle({
    ...call.tools,
    db: { ...db, transaction: (work, traceparent) => db.transaction(record(work), traceparent) },
    transact: (traceparent, work) => transact(traceparent, record(work)),
  })
  if (isDone(reply) && !isRecorded)
    throw new Error(`${call.operation.name} changed something in no transaction, so it is not in the audit`)
  return reply
}

/** Closes the stream of a reply that nobody will read, and throws the error. */
async function giveUp({ stream }: Reply, error: unknown): Promise<never> {
  await stream?.parts[Symbol.asyncIterator]().return?.()
  throw error
}

/** Says whether something was done now: neither refused nor a repeat of an earlier answer. */
const isDone = ({ status, headers }: Reply): boolean =>
  status < 300 && headers?.['idempotency-replayed'] === undefined

/** Returns what a database transaction was about; undefined if it says nothing. */
function aboutOf(result: unknown): AboutChange['about'] {
  if (typeof result !== 'object' || result === null) return undefined
  const { about, status } = result as Partial<Reply>
  if (about) return about
  return status !== undefined && isDone(result as Reply) ? {} : undefined
}

async function auditReading(call: AuditedCall, reply: Reply): Promise<void> {
  const about = reply.about === 'nothing-changed' ? {} : (reply.about ?? {})
  if (ownerOf(call, about, reply) === call.request.caller.userId) return
  await write(call.tools.db, call, about, reply)
}

async function write(
  tx: Transaction,
  call: AuditedCall,
  about: AuditAbout,
  reply: Partial<Reply>,
): Promise<void> {
  const { operation, route, kind, request } = call
  // A route for anyone has no caller.
  const caller: Partial<Caller> | undefined = about.by ?? request.caller
  await tx.query({
    name: 'audit-insert',
    text: `insert into audit
        (caller_id, caller_role, operation, route, subject, owner_id, address, trace_id, outcome, details, via)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    values: [
      caller?.userId,
      caller?.role ?? 'anyone',
      operation.name,
      `${route.method} ${route.path}`,
      subjectOf(call, about, reply),
      ownerOf(call, about, reply),
      request.address || null,
      // The 32 digits of the trace's id, which Postgres takes for a uuid.
      request.traceparent.slice(3, 35),
      about.outcome ?? (kind === 'read' ? 'read' : 'changed'),
      detailsOf(route, request),
      caller?.via,
    ],
    traceparents: [request.traceparent],
  })
}

function subjectOf({ request }: AuditedCall, about: AuditAbout, { body }: Partial<Reply>): string | null {
  const found =
    about.subject === undefined ? (field(request.params, 'id') ?? field(body, 'id')) : about.subject
  if (typeof found !== 'string') return null
  return ANY_UUID.test(found) ? found.toLowerCase() : storable(found)
}

function ownerOf({ request }: AuditedCall, about: AuditAbout, { body }: Partial<Reply>): string | null {
  const found =
    about.ownerId === undefined ? (field(body, 'user_id') ?? field(request.query, 'user_id')) : about.ownerId
  return typeof found === 'string' && ANY_UUID.test(found) ? found.toLowerCase() : null
}

const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
