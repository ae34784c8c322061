import { customerLeft } from '../host/customer-left.ts'
import { define, problem } from '../host/problems.ts'
import type { Reply } from '../host/reply.ts'

/** Refusals of this context, besides those that any function may give. */
export const documentProblems = {
  notMultipart: define('not-multipart', 415, 'The body must be multipart/form-data'),
  typeNotAccepted: define('file-type-not-accepted', 415, 'The file is none of the accepted types'),
  fileTooLarge: define('file-too-large', 413, 'The file is too large'),
  limitReached: define('document-limit-reached', 409, 'There is no room for more documents'),
  customerLeft,
  notReady: define('document-not-ready', 409, 'The document is still being processed'),
  lost: define('document-lost', 410, 'The bank no longer has the bytes of the document'),
  refused: define('document-refused', 409, 'The document could not be processed'),
} as const

/** Refusals of statements, by the names that the ledger gives them. */
export const statementProblems = {
  accountNotFound: define('account-not-found', 404, 'There is no such account'),
  tooLong: define('statement-too-long', 422, 'The statement is too long for this format'),
} as const

/** Refusal (404) of an id that does not exist, or is another's. */
export const noSuchDocument = (id: string): Reply =>
  problem(define('not-found', 404, 'Not found'), `There is no document ${id}.`)
