import { customerLeft } from '../../host/customer-left.ts'
import { keyReused } from '../../host/database/idempotency.ts'
import type { Reply } from '../../host/reply.ts'
import { define, problem, problems, type ProblemType } from '../../host/problems.ts'

/** The refusals of the ledger, in their order of precedence. Their names are outcomes of
 * post_transactions(). */
export const postingProblems = {
  'account-not-found': define('account-not-found', 404, 'There is no such account'),
  'account-closed': define('account-closed', 409, 'The account is closed'),
  'account-frozen': define('account-frozen', 409, 'The account is frozen'),
  'currency-mismatch': define('currency-mismatch', 422, 'The account has another currency'),
  'same-account': define('same-account', 422, 'Both accounts are the same'),
  'insufficient-funds': define('insufficient-funds', 409, 'The available balance is too low'),
  'transaction-limit-exceeded': define('transaction-limit-exceeded', 409, 'Too much to be paid at once'),
  'day-limit-exceeded': define('day-limit-exceeded', 409, 'Too much to be paid on a day'),
  'month-limit-exceeded': define('month-limit-exceeded', 409, 'Too much to be paid in 30 days'),
  'limit-exceeded': define('limit-exceeded', 409, 'The amount exceeds a limit of the account'),
  'fee-exceeds-amount': define('fee-exceeds-amount', 409, 'The fee is more than the deposit'),
} as const satisfies Record<string, ProblemType>

export type PostingRefusal = keyof typeof postingProblems

/** Further refusals of holds and of their capture, in their order of precedence after those that don't depend
 * on balances. */
export const holdProblems = {
  'hold-not-found': define('hold-not-found', 404, 'There is no such hold'),
  'hold-not-yours': define('hold-not-yours', 403, 'Somebody else placed the hold'),
  'hold-captured': define('hold-captured', 409, 'The hold was captured'),
  'hold-released': define('hold-released', 409, 'The hold was released'),
  'hold-expired': define('hold-expired', 409, 'The hold has expired'),
  'too-many-holds': define('too-many-holds', 409, 'The account has the highest number of open holds allowed'),
  'more-than-held': define('more-than-held', 409, 'The amount is more than is held'),
} as const satisfies Record<string, ProblemType>

/** Further refusals of reversals. */
export const reversalProblems = {
  'not-completed': define('not-completed', 409, 'The transaction was not completed'),
  'already-reversed': define('already-reversed', 409, 'The transaction was reversed before'),
} as const satisfies Record<string, ProblemType>

/** Further refusals of deposits and withdrawals with a value date, after those that don't depend on
 * balances. */
export const valueDateProblems = {
  'value-date-out-of-range': define('value-date-out-of-range', 422, 'The value date is too far away'),
} as const satisfies Record<string, ProblemType>

export type SubjectRefusal =
  | keyof typeof holdProblems
  | keyof typeof reversalProblems
  | keyof typeof valueDateProblems

const details: Record<PostingRefusal | SubjectRefusal, string> = {
  'account-not-found': 'The account does not exist, or you may not use it for this transaction.',
  'account-closed': 'A closed account can neither pay nor receive money.',
  'account-frozen': 'A frozen account can neither pay nor receive money.',
  'currency-mismatch': 'Every account involved must have the currency of the transaction.',
  'same-account': 'The money must go to another account.',
  'insufficient-funds':
    'The amount and its fee are more than the available balance: balance, minus holds, plus overdraft limit.',
  'transaction-limit-exceeded': 'The account has a limit for one transaction.',
  'day-limit-exceeded': 'The account has a limit for a day. Transfers, withdrawals and open holds count.',
  'month-limit-exceeded': 'The account has a limit for 30 days. Transfers, withdrawals and open holds count.',
  'limit-exceeded':
    'The amount would take the account above its highest balance, or is more than its owner may deposit at once.',
  'fee-exceeds-amount': 'Nothing would be left of the deposit, and more would be owed.',
  'hold-not-found': 'There is no hold with this id.',
  'hold-not-yours':
    'Only who placed the hold, and operators, can capture or release it. If it is for a payment, end the payment.',
  'hold-captured': 'A hold can be captured once. What was not taken is available again.',
  'hold-released': 'Nothing is held any more.',
  'hold-expired': 'Nothing is held any more.',
  'too-many-holds': 'An account can have 1,000 open holds.',
  'more-than-held': 'At most the whole amount of the hold can be captured.',
  'value-date-out-of-range': 'The value date must be within 30 days of the day of the posting (UTC).',
  'not-completed': 'Only a transaction that moved money can be reversed.',
  'already-reversed': 'A transaction can be reversed once.',
}

const subjectProblems = { ...postingProblems, ...holdProblems, ...reversalProblems, ...valueDateProblems }

/** Outcomes that are not about the money but about the Idempotency-Key. */
export type KeyRefusal = 'idempotency-key-reused' | 'idempotency-key-in-use'

/** Refusals of transactions in an atomic batch: they would have been posted, but for others in the batch; or
 * some of those that pay other customers would be too much for a payee. */
export type BatchRefusal = 'not-posted' | 'payee-limit-exceeded'

const notPosted = define('not-posted', 424, 'Another transaction of the batch was refused')
const payeeLimitExceeded = define('payee-limit-exceeded', 409, 'A payee can’t take so much')

/** Returns the answer for a refusal by its name. */
export function refusal(name: PostingRefusal | SubjectRefusal | KeyRefusal | BatchRefusal): Reply {
  if (name === 'not-posted') {
    return problem(notPosted, 'The batch is atomic: if one of its transactions is refused, none is posted.')
  }
  if (name === 'payee-limit-exceeded') {
    return problem(
      payeeLimitExceeded,
      'One of the transfers of the batch to other customers would take its payee above the highest balance.',
    )
  }
  if (name === 'idempotency-key-reused') return keyReused()
  if (name === 'idempotency-key-in-use') {
    return problem(problems.idempotencyKeyInUse, 'The first transaction with this key is still pending.')
  }
  return problem(subjectProblems[name], details[name])
}

export const userUnknown = define('user-unknown', 422, 'There is no such user')

/** The refusals of open_account(), by their names. */
export const openingProblems = {
  'customer-left': customerLeft,
  'too-many-accounts': define(
    'too-many-accounts',
    409,
    'The customer has the highest number of accounts allowed',
  ),
} as const satisfies Record<string, ProblemType>

export type OpeningRefusal = keyof typeof openingProblems

export const accountNotFound = (): Reply =>
  problem(postingProblems['account-not-found'], 'There is no account with this id.')
export const transactionNotFound = (): Reply =>
  problem(problems.notFound, 'There is no transaction with this id.')
