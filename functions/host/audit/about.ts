import type { Caller } from '../route-request.ts'

/** What a route leaves in the audit of its context:
 * - 'change': a row in the database transaction of the change. The default of all methods but GET;
 * - 'read': a row if an operator reads another's data, written before the answer. The default of GET;
 * - 'books': none, because post_transactions() sees to it: rows follow from transactions;
 * - 'calls': none, because the functions that it calls on the caller's behalf write theirs;
 * - `nothing`, and why. */
export type Audits = 'change' | 'read' | 'books' | 'calls' | { nothing: string }

/** What a change or a reading was about. The host reads what is missing here off the request and its
 * answer. */
export interface AuditAbout {
  /** Id of the thing: usually the `id` of the path, or of the answer. */
  subject?: string | null
  /** Whose data it is: usually the `user_id` of the answer, or of the query. */
  ownerId?: string | null
  /** Who did it, if the request has no token but something else that proves who they are. */
  by?: Pick<Caller, 'userId' | 'role'>
  /** Usually 'changed' or 'read'. */
  outcome?: string
}

/** What a database transaction returns may have this, to say what it changed. */
export interface AboutChange {
  about?: AuditAbout | 'nothing-changed'
}
