import { BankProblem, NoAnswerError } from '../../client/index.ts'
import { isDecision } from './money-order.ts'

/** Returns whether a call with a key may have taken effect although it failed. `wasOpen` says this of earlier
 * calls with the key: only a refusal that the bank keeps under it speaks for them too. */
export function isOutcomeOpen(error: unknown, wasOpen: boolean): boolean {
  const isCall = error instanceof BankProblem || error instanceof NoAnswerError
  if (isCall && error.isOutcomeUnknown) return true
  return wasOpen && !(error instanceof BankProblem && isDecision(error))
}
