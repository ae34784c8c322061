import type { Infer } from '../host/schema.ts'
import { auditEntrySchema } from '../host/audit/audit-schema.ts'
import { textCell } from '../host/values/csv-text.ts'

/** An entry of the audit, as the contexts answer it. */
export type AuditEntry = Infer<typeof auditEntrySchema>

const columns = auditEntrySchema.required

/** Writes entries as CSV (RFC 4180). The first column says what a record is: `entry`, and in the last record
 * `end` if nothing is missing, else `more`, with the cursor that goes on in `id`. `details` is JSON. */
export const writeAuditCsv = (entries: readonly AuditEntry[], nextCursor: string | null): string =>
  [
    ['record', ...columns].join(','),
    ...entries.map((entry) => ['entry', ...columns.map((column) => cell(entry[column]))].join(',')),
    [nextCursor === null ? 'end' : 'more', nextCursor ?? '', ...columns.slice(1).map(() => '')].join(','),
  ]
    .map((record) => `${record}\r\n`)
    .join('')

/** Callers choose some of the texts: what they searched for is in `details`. */
function cell(value: AuditEntry[keyof AuditEntry]): string {
  if (value === null) return ''
  return textCell(typeof value === 'string' ? value : JSON.stringify(value))
}
