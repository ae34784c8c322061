import type { PostingRequest } from './posting-request.ts'
import { uuidv7 } from '../values/uuid.ts'

/** Requests as Postgres reads an array of the SQL type `posting_request`: `{"(…)","(…)"}`. That takes half
 * the time that reading the same from JSON does. Each gets an id for the event that states what becomes of
 * it. */
export const toRecords = (requests: readonly PostingRequest[]): string =>
  `{${requests.map((request) => `"(${toFields(request)})"`).join()}}`

// In the order of the SQL type.
const toFields = (request: PostingRequest): string =>
  [
    request.id,
    uuidv7(),
    request.requested,
    text(request.operation),
    request.type,
    text(request.account_id),
    text(request.to_account_id),
    request.amount,
    text(request.currency),
    request.currency_exponent,
    text(request.description),
    text(request.metadata && JSON.stringify(request.metadata)),
    text(request.caller_id),
    request.caller_role,
    text(request.key_owner),
    text(request.key),
    text(request.request_hash),
    text(request.traceparent),
  ].join()

const PLAIN = /^[\w-]+$/

/** A field of a record. What could be taken for punctuation is put within quotes, which are themselves within
 * those of the record: both are escaped. Nothing at all is null. */
function text(value: string | null): string {
  if (typeof value !== 'string') return ''
  return PLAIN.test(value) ? value : `\\"${value.replace(/["\\]/g, '\\\\\\$&')}\\"`
}
