import { define, problem, problems, type ProblemType } from '../../host/problems.ts'
import type { Reply } from '../../host/reply.ts'

/** Refusals of the ledger to credit an account, which are then those of a top-up. */
const creditRefusals: Record<string, [status: number, title: string, detail: string]> = {
  'account-not-found': [404, 'There is no such account', 'The account does not exist, or is not yours.'],
  'account-closed': [409, 'The account is closed', 'A closed account can’t get money.'],
  'account-frozen': [409, 'The account is frozen', 'A frozen account can’t get money.'],
  'currency-mismatch': [422, 'The account has another currency', 'Top up in the currency of the account.'],
  'limit-exceeded': [
    ...([409, 'The amount exceeds a limit of the account'] as const),
    'It is more than may be deposited at once, or the account would have too much.',
  ],
  'fee-exceeds-amount': [409, 'The fee is more than the amount', 'Nothing would be left of it.'],
}

const refused = define('top-up-refused', 409, 'The ledger refused the top-up')

export const creditProblems: readonly ProblemType[] = [
  ...Object.entries(creditRefusals).map(([name, [status, title]]) => define(name, status, title)),
  refused,
]

/** Returns the answer for a top-up that the ledger would refuse. */
export function creditRefusal(name: string): Reply {
  const known = Object.hasOwn(creditRefusals, name) ? creditRefusals[name] : undefined
  if (!known) return problem(refused, `It would be refused: ${name}.`)
  return problem(define(name, known[0], known[1]), known[2])
}

export const providerProblems = {
  none: define('no-payment-provider', 409, 'The bank has no payment provider'),
  tooMany: define('too-many-pending-transfers', 409, 'Too many are pending'),
  notCancellable: define('not-cancellable', 409, 'It can’t be cancelled any more'),
  notResolvable: define('not-resolvable', 409, 'The dispute can’t be ended this way'),
  hookRefused: define('hook-refused', 403, 'The web hook is not signed by the provider'),
  unknownReference: define('unknown-reference', 404, 'The bank knows no such transfer'),
  notForOperators: problems.forbidden,
} as const satisfies Record<string, ProblemType>

/** Top-ups and withdrawals that a customer can have before they end. */
export const PENDING_MAX = 20

export const transferNotFound = (): Reply => problem(problems.notFound, 'There is nothing with this id.')
