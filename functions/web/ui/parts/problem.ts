import { NO_UNSEEN } from '../../../host/values/unseen.ts'
import { useTexts } from '../texts/define-texts.ts'
import { problemTexts } from '../texts/problems.texts.ts'

/** What a call was rejected with, as far as the parts show it. */
export interface ShownProblem {
  name: string
  /** The last part of the problem's type; empty if the bank did not answer with a problem. */
  code: string
  detail: string
  errors: readonly { path: string; message: string }[]
  isOutcomeUnknown: boolean
  /** The key that the call was sent with, if it had one. */
  idempotencyKey: string | undefined
  /** The trace, if the answer had one. */
  traceId: string | undefined
  /** Seconds that the bank asks to wait; undefined if it doesn't say. */
  waitSeconds: number | undefined
}

/** Returns what the parts show of an error, whatever it is. */
export function shownProblem(error: unknown): ShownProblem {
  const given = (typeof error === 'object' && error !== null ? error : {}) as Partial<ShownProblem> & {
    headers?: Headers
  }
  const wait = Number(given.headers?.get('retry-after'))
  return {
    name: given.name ?? 'Error',
    code: given.code ?? '',
    detail: given.detail ?? '',
    errors: Array.isArray(given.errors) ? given.errors : [],
    isOutcomeUnknown: given.isOutcomeUnknown === true,
    idempotencyKey: given.idempotencyKey,
    traceId: given.headers?.get('traceparent')?.split('-')[1],
    waitSeconds: wait > 0 ? wait : undefined,
  }
}

/** Returns a fault of a field that the page finds by itself, as the bank would tell it. */
export const faultOf = (path: string, message: string): Pick<ShownProblem, 'code' | 'errors'> => ({
  code: 'invalid-input',
  errors: [{ path, message }],
})

/** Returns the sentence for an error in the reader's language. */
export function useProblemSentence(error: unknown): string {
  const texts = useTexts(problemTexts)
  const { name, code, detail, isOutcomeUnknown, idempotencyKey } = shownProblem(error)
  if (isOutcomeUnknown && idempotencyKey !== undefined) return texts.noAnswer
  if (name === 'NoAnswerError') return texts.noAnswerToReading
  if (name === 'SignedOutError') return texts.signedOut
  // The server's own words say which rule of a password was broken, and by how much.
  return texts.byCode[code] ?? (detail || texts.failed)
}

/** Returns what turns a fault of a field, as the bank tells it, into a sentence for the reader. What isn't
 * known here is shown as it came: the server alone has the rules. */
export function useFaultSentence(): (message: string) => string {
  const texts = useTexts(problemTexts)
  return (message) => {
    const [, least] = /(?:NOT have fewer than|at least) (\d+) characters/.exec(message) ?? []
    const [, most] = /NOT have more than (\d+) characters/.exec(message) ?? []
    if (least) return least === '1' ? texts.isMissing : texts.atLeast(least)
    if (most) return texts.atMost(most)
    if (message === 'is required') return texts.isMissing
    if (message.endsWith(NO_UNSEEN)) return texts.unseen
    if (/format "email"/.test(message)) return texts.noEmail
    return /known from leaks/.test(message) ? texts.known : message
  }
}
