import { sqlstate } from '../../../eventing/database/database-errors.ts'
import { ProblemError, type ProblemType } from '../../host/problems.ts'

export const ledgerStopped: ProblemType = {
  name: 'ledger-stopped',
  status: 503,
  title: 'Nothing is posted at the moment',
}

/** Seconds. A stop lasts until an operator lifts it. */
const RETRY_AFTER = '30'

/** Thrown if postings of a currency are stopped. The host answers 503 with Retry-After. Nothing was changed,
 * so idempotency keys are still unused. */
export class LedgerStoppedError extends ProblemError {
  readonly currencies: readonly string[]

  constructor(currencies: readonly string[]) {
    const detail = `Postings in ${currencies.join(', ')} are stopped. Nothing was changed; try again later.`
    super(ledgerStopped, detail, { headers: { 'retry-after': RETRY_AFTER } })
    this.currencies = currencies
  }
}

/** Returns the error to throw for an error of post_transactions() or request_transaction(): a
 * LedgerStoppedError if they refused because of a stop, otherwise the error itself. */
export function toStopped(error: unknown): unknown {
  if (sqlstate(error) !== 'MB002') return error
  // refuse_if_stopped() names the currencies there.
  return new LedgerStoppedError((error as { detail: string }).detail.split(','))
}
