import { databaseContexts, type DatabaseContext } from '../contexts.ts'
import { readFilters, toCursor } from '../host/audit/audit-route.ts'
import { mergeParts, type AuditPart } from '../host/audit/audit-parts.ts'
import { auditEntrySchema, auditFilters } from '../host/audit/audit-schema.ts'
import { decodeCursor, pageOf } from '../host/database/paging.ts'
import { operation, route } from '../host/operation.ts'
import type { OnBehalf } from '../host/route-request.ts'
import type { FunctionClient } from '../host/http/call.ts'
import { UnavailableError } from '../../eventing/unavailable.ts'

const query = {
  type: 'object',
  additionalProperties: false,
  properties: { ...auditFilters, context: { enum: databaseContexts } },
} as const

/** The audit of the whole bank. Each context keeps its own, and no other may read its database, so this asks
 * their functions, with the caller's own token. Ids are in the order of time, which makes one list of all,
 * and one cursor. */
export default operation({
  name: 'audit',
  context: 'web',
  summary: 'Lists who did what in the whole bank',
  routes: [
    route({
      method: 'GET',
      path: '/audit',
      who: 'operator',
      summary: 'Who did what, newest first',
      query,
      answers: { 200: pageOf(auditEntrySchema) },
      audits: 'calls',
      handle: async (request, { call }) => {
        const { context, ...filters } = request.query
        readFilters(filters) // Throws for what no context would accept.
        const asked = context === undefined ? databaseContexts : [context]
        const search = new URLSearchParams(
          Object.entries(filters).map(([name, value]): [string, string] => [name, String(value)]),
        )
        const parts = await Promise.all(asked.map((each) => ask(each, String(search), request, call)))
        const { rows, reachedId } = mergeParts(parts, filters.limit)
        return { status: 200, body: { items: rows, next_cursor: toCursor(reachedId) } }
      },
    }),
  ],
})

/** Asks one context. Throws an UnavailableError that names it if it does not answer: without it the list
 * would have a gap that nobody sees. */
async function ask(
  context: DatabaseContext,
  search: string,
  { caller, client, traceparent }: OnBehalf,
  call: FunctionClient,
): Promise<AuditPart<{ id: string }>> {
  const path = `/audit/${context}?${search}`
  const unavailable = (cause: unknown): never => {
    throw new UnavailableError(`the audit of the context ${context} did not answer`, { cause })
  }
  const answer = await call(`audit-${context}`, { path, token: caller.token, client, traceparent }).catch(
    unavailable,
  )
  const { items, next_cursor: cursor } = (answer.body ?? {}) as {
    items?: unknown
    next_cursor?: string | null
  }
  if (answer.status !== 200 || !Array.isArray(items)) return unavailable(`status ${answer.status}`)
  return { rows: items as { id: string }[], reachedId: decodeCursor(cursor ?? undefined) ?? null }
}
