import { databaseContexts, type DatabaseContext } from '../contexts.ts'
import { JSON_TYPE } from '../host/answer-of.ts'
import { readFilters, toCursor, type AuditQuery } from '../host/audit/audit-route.ts'
import { mergeParts, type AuditPart } from '../host/audit/audit-parts.ts'
import { auditEntrySchema, auditFilters } from '../host/audit/audit-schema.ts'
import { decodeCursor, pageOf, pageQuery } from '../host/database/paging.ts'
import { operation, route } from '../host/operation.ts'
import type { Reply } from '../host/reply.ts'
import type { OnBehalf } from '../host/route-request.ts'
import type { FunctionClient } from '../host/http/call.ts'
import { UnavailableError } from '../../eventing/unavailable.ts'
import { writeAuditCsv, type AuditEntry } from './audit-csv.ts'

const query = {
  type: 'object',
  additionalProperties: false,
  properties: {
    ...auditFilters,
    context: { enum: databaseContexts },
    format: { enum: ['json', 'csv'], description: 'csv: all entries from `cursor` on, up to 5000.' },
  },
} as const

/** Entries, and pages, of one CSV file at most. A page may be empty. */
const CSV_MAX = { entries: 5_000, pages: 50 } as const

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
      summary: 'Who did what, newest first; as CSV, many at once',
      query,
      answers: {
        200: {
          content: { [JSON_TYPE]: pageOf(auditEntrySchema), 'text/csv': { type: 'string' } },
          headers: ['Content-Disposition'],
        },
      },
      audits: 'calls',
      handle: async (request, { call }) => {
        const { context, format, ...filters } = request.query
        readFilters(filters) // Throws for what no context would accept.
        const asked = context === undefined ? databaseContexts : [context]
        const read = async (search: Search): Promise<AuditPart<AuditEntry>> => {
          const text = String(new URLSearchParams(toPairs(search)))
          const parts = await Promise.all(asked.map((each) => ask(each, text, request, call)))
          return mergeParts(parts, search.limit)
        }
        if (format === 'csv') return toFile(await readMany(read, filters))
        const { rows, reachedId } = await read(filters)
        return { status: 200, body: { items: rows, next_cursor: toCursor(reachedId) } }
      },
    }),
  ],
})

type Search = AuditQuery & { limit: number }

const toPairs = (search: Search): [string, string][] =>
  Object.entries(search).map(([name, value]) => [name, String(value)])

/** Reads page after page, from the search's cursor on. All is read before any of it is sent, so nobody gets a
 * file that lacks the end because a context went away. */
async function readMany(
  read: (search: Search) => Promise<AuditPart<AuditEntry>>,
  filters: Search,
): Promise<AuditPart<AuditEntry>> {
  const rows: AuditEntry[] = []
  let [search, isAtEnd] = [{ ...filters, limit: pageQuery.limit.maximum as number }, false]
  let reachedId: string | null = null
  for (let pages = 0; !isAtEnd && rows.length < CSV_MAX.entries && pages < CSV_MAX.pages; pages++) {
    const page = await read(search)
    rows.push(...page.rows)
    reachedId = page.reachedId
    isAtEnd = reachedId === null
    if (reachedId !== null) search = { ...search, cursor: toCursor(reachedId)! }
  }
  return { rows, reachedId }
}

const toFile = ({ rows, reachedId }: AuditPart<AuditEntry>): Reply => ({
  status: 200,
  headers: {
    'content-type': 'text/csv; charset=utf-8; header=present',
    'content-disposition': 'attachment; filename="audit.csv"',
  },
  text: writeAuditCsv(rows, toCursor(reachedId)),
})

/** Asks one context. Throws an UnavailableError that names it if it does not answer: without it the list
 * would have a gap that nobody sees. */
async function ask(
  context: DatabaseContext,
  search: string,
  { caller, client, traceparent }: OnBehalf,
  call: FunctionClient,
): Promise<AuditPart<AuditEntry>> {
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
  return { rows: items as AuditEntry[], reachedId: decodeCursor(cursor ?? undefined) ?? null }
}
