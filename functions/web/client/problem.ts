import type { ProblemName } from './api.ts'
import { leavesOpen } from './pauses.ts'

/** How a call went, for whoever has to decide what to do next. */
export interface CallRecord {
  /** How often the call was sent. */
  attempts: number
  /** The key that it was sent with, if its route takes one. Repeat the call with this key. */
  idempotencyKey?: string | undefined
}

/** How a call failed. */
export interface FailureRecord extends CallRecord {
  /** Whether some attempt may have taken effect: it had no answer, or an error of the server. Only the same
   * call with the same key tells then, even if a later attempt was refused. */
  isOutcomeUnknown: boolean
}

/** The bank answered with a problem (RFC 9457). Nothing has changed unless `isOutcomeUnknown`. */
export class BankProblem extends Error implements FailureRecord {
  override readonly name = 'BankProblem'
  readonly status: number
  /** The last part of `type`: `insufficient-funds`. Empty if the answer was no problem of the bank. */
  readonly code: ProblemName | (string & {})
  readonly type: string
  readonly title: string
  readonly detail: string
  /** Faults in the input: a JSON pointer to each, and a sentence. */
  readonly errors: readonly { path: string; message: string }[]
  readonly headers: Headers
  readonly attempts: number
  readonly idempotencyKey: string | undefined
  readonly isOutcomeUnknown: boolean

  /** @param body the answer's, parsed if it is JSON; whatever it is, an error comes of it */
  constructor(status: number, headers: Headers, body: unknown, record: FailureRecord) {
    const stated = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>
    const text = (name: string): string => (typeof stated[name] === 'string' ? stated[name] : '')
    const code = text('type').split('/').at(-1) ?? ''
    const said =
      text('detail') || text('title') || (typeof body === 'string' && body.slice(0, 200)) || 'nothing'
    super(`the bank answered ${[status, code].join(' ').trim()}: ${said}`)
    this.status = status
    this.code = code
    this.type = text('type')
    this.title = text('title')
    this.detail = text('detail')
    this.errors = Array.isArray(stated.errors) ? (stated.errors as BankProblem['errors']) : []
    this.headers = headers
    this.attempts = record.attempts
    this.idempotencyKey = record.idempotencyKey
    this.isOutcomeUnknown = record.isOutcomeUnknown || leavesOpen({ status, code })
  }

  /** Whether it is one of these problems. */
  is(...codes: ProblemName[]): boolean {
    return (codes as string[]).includes(this.code)
  }
}

/** No answer came, or none that can be read. The call may have taken effect or not: only the same call with
 * the same key tells. */
export class NoAnswerError extends Error implements FailureRecord {
  override readonly name = 'NoAnswerError'
  readonly attempts: number
  readonly idempotencyKey: string | undefined
  readonly isOutcomeUnknown: boolean

  /** @param cause why the last attempt had no answer */
  constructor(address: string, cause: unknown, record: CallRecord) {
    super(`no answer from ${address} after ${record.attempts} attempts: ${reasonOf(cause)}`, { cause })
    this.attempts = record.attempts
    this.idempotencyKey = record.idempotencyKey
    this.isOutcomeUnknown = record.attempts > 0
  }
}

/** fetch() hides the reason one level below. */
const reasonOf = (cause: unknown): string => {
  const { message, cause: inner } = cause as { message?: string; cause?: { message?: string } }
  return inner?.message || message || String(cause)
}

/** The session has ended: its refresh token was refused. Nothing of the call was done. */
export class SignedOutError extends Error {
  override readonly name = 'SignedOutError'

  constructor(cause: Error) {
    super('the session has ended; log in again', { cause })
  }
}
