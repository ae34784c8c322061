import { define, problem, problems, type ProblemType } from '../../host/problems.ts'
import type { Reply } from '../../host/reply.ts'
import { TOO_MANY_UNREACHABLE } from '../calls/unreachable-payees.ts'
import type { PaymentRow } from './payment.ts'

/** Refusals of the ledger to hold the money of a payment, which are then those of the payment. */
const holdRefusals: Record<string, [status: number, title: string, detail: string]> = {
  'account-not-found': [404, 'There is no such account', 'The account does not exist, or is not yours.'],
  'account-closed': [409, 'The account is closed', 'A closed account can’t pay.'],
  'account-frozen': [409, 'The account is frozen', 'A frozen account can’t pay.'],
  'currency-mismatch': [422, 'The account has another currency', 'Pay in the currency of the account.'],
  'insufficient-funds': [409, 'The available balance is too low', 'The amount is more than is available.'],
  'transaction-limit-exceeded': [409, 'Too much to be paid at once', 'The account has a limit for it.'],
  'day-limit-exceeded': [409, 'Too much to be paid on a day', 'The account has a limit for it.'],
  'month-limit-exceeded': [409, 'Too much to be paid in 30 days', 'The account has a limit for it.'],
  'too-many-holds': [409, 'Too many holds are open', 'An account can have 1,000 open holds.'],
  'outcome-unknown': [
    ...([409, 'The ledger did not answer for days'] as const),
    'If it holds the money, the hold ends by itself.',
  ],
}

const refused = define('payment-refused', 409, 'The ledger refused the payment')

export const placingProblems: readonly ProblemType[] = [
  ...Object.entries(holdRefusals).map(([name, [status, title]]) => define(name, status, title)),
  refused,
]

/** Returns the answer for a payment whose money the ledger did not hold. */
export function placingRefusal(failure: string): Reply {
  const known = Object.hasOwn(holdRefusals, failure) ? holdRefusals[failure] : undefined
  if (!known) return problem(refused, `No money was held: ${failure}.`)
  return problem(define(failure, known[0], known[1]), known[2])
}

export const endingProblems = {
  executed: define('payment-executed', 409, 'The payment was executed'),
  cancelled: define('payment-cancelled', 409, 'The payment was cancelled'),
  expired: define('payment-expired', 409, 'The payment has expired'),
  failed: define('payment-failed', 409, 'The payment failed'),
} as const satisfies Record<string, ProblemType>

export const tooManyUnreachable = define(TOO_MANY_UNREACHABLE, 429, 'Too many addresses that can’t be paid')

/** Returns the answer for a payment that ended otherwise than asked. */
export function endedOtherwise({ status, failure }: PaymentRow): Reply {
  if (status === 'executed') return problem(endingProblems.executed, 'The money has been paid.')
  if (status === 'cancelled') return problem(endingProblems.cancelled, 'The money is available again.')
  if (status === 'expired') return problem(endingProblems.expired, 'The money is available again.')
  return problem(
    endingProblems.failed,
    `It failed: ${failure}. The payer has the money, if it is still held.`,
  )
}

export const paymentNotFound = (): Reply => problem(problems.notFound, 'There is no payment with this id.')
