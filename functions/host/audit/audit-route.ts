import type { DatabaseContext } from '../../contexts.ts'
import { decodeCursor, pageOf } from '../database/paging.ts'
import { route } from '../operation.ts'
import { auditEntrySchema, auditFilters } from './audit-schema.ts'
import {
  mergeParts,
  storedPart,
  type AuditFilters,
  type AuditPart,
  type AuditRow,
  type AuditSource,
} from './audit-parts.ts'
import { firstIdAt } from './time-ids.ts'

/** Declares the route that lists the audit of a context. `derived` reads rows that follow from the context's
 * own tables. */
export const auditRoute = (context: DatabaseContext, ...derived: AuditSource[]) =>
  route({
    method: 'GET',
    path: `/audit/${context}`,
    who: 'operator',
    summary: `Who did what in the context ${context}, newest first`,
    query: { type: 'object', additionalProperties: false, properties: auditFilters },
    answers: { 200: pageOf(auditEntrySchema) },
    handle: async ({ query }, { db }) => {
      const { limit } = query
      const filters = readFilters(query)
      const parts: AuditPart[] = []
      // One after the other: a list must not take all connections of the process.
      for (const read of [storedPart, ...derived]) parts.push(await read(db, filters, limit))
      const { rows, reachedId } = mergeParts(parts, limit)
      const items = rows.map((row) => toEntry(context, row))
      return { status: 200, body: { items, next_cursor: toCursor(reachedId) } }
    },
  })

export interface AuditQuery {
  caller?: string
  owner?: string
  subject?: string
  operation?: string
  from?: string
  to?: string
  cursor?: string
}

/** Reads the filters of a query. Throws a ProblemError (400) for a cursor that is not ours, and for moments
 * that don't exist. */
export function readFilters({ cursor, from, to, caller, owner, ...others }: AuditQuery): AuditFilters {
  const ends = [decodeCursor(cursor), to === undefined ? undefined : firstIdAt(to, '/to')].filter(
    (id) => id !== undefined,
  )
  return {
    ...others,
    caller: caller?.toLowerCase(),
    owner: owner?.toLowerCase(),
    from: from === undefined ? undefined : firstIdAt(from, '/from'),
    before: ends.length > 0 ? ends.reduce((a, b) => (a < b ? a : b)) : undefined,
  }
}

/** Returns the cursor of the page that begins after this id; null at the end. */
export const toCursor = (id: string | null): string | null => id && Buffer.from(id).toString('base64url')

const toEntry = (context: DatabaseContext, row: AuditRow) => ({
  id: row.id,
  at: row.at.toISOString(),
  context,
  caller_id: row.caller_id,
  caller_role: row.caller_role,
  via: row.via,
  operation: row.operation,
  route: row.route,
  subject: row.subject,
  owner_id: row.owner_id,
  address: row.address,
  // As traces write it.
  trace_id: row.trace_id && row.trace_id.replaceAll('-', ''),
  outcome: row.outcome,
  details: row.details,
})
