import type { PostingRequest } from './posting-request.ts'
import { uuidv7 } from '../values/uuid.ts'

/** Writes requests as a Postgres array of the SQL type `posting_request`: `{"(…)","(…)"}`. Postgres reads
 * this in half the time of JSON. Each request gets an id for the event that will tell its outcome. */
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

/** Writes a field of a record. Text that could be taken for punctuation is quoted. Those quotes are inside
 * the record's own quotes, so both are escaped. An empty field is null. */
function text(value: string | null): string {
  if (typeof value !== 'string') return ''
  return PLAIN.test(value) ? value : `\\"${value.replace(/["\\]/g, '\\\\\\$&')}\\"`
}
