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
    traceId: given.headers?.get('traceparent')?.split('-')[1],
    waitSeconds: wait > 0 ? wait : undefined,
  }
}

/** Returns the sentence for an error in the reader's language. */
export function useProblemSentence(error: unknown): string {
  const texts = useTexts(problemTexts)
  const { name, code, detail } = shownProblem(error)
  if (name === 'NoAnswerError') return texts.noAnswerToReading
  if (name === 'SignedOutError') return texts.signedOut
  // The server's own words say which rule of a password was broken, and by how much.
  return texts.byCode[code] ?? (detail || texts.failed)
}
