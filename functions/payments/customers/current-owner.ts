import type { Transaction } from '../../host/database/database.ts'
import { requireIssuedSince } from '../../host/issued-since.ts'
import type { Caller } from '../../host/route-request.ts'

/** Rejects with a ProblemError (401) if the caller's token was issued before a new owner of the address set a
 * password: its holder must neither resume a paused web hook or order nor make one that outlives the
 * token. */
export async function requireCurrentOwner(tx: Transaction, caller: Caller): Promise<void> {
  const [owner] = await tx.query<{ renewed_at: Date | null }>({
    name: 'web-hook-owner-renewed',
    text: 'select renewed_at from web_hook_owners where user_id = $1',
    values: [caller.userId],
  })
  requireIssuedSince(caller, owner?.renewed_at)
}

/** Keeps new payment orders of a customer waiting until the transaction ends. */
export const lockOrdersOf = (tx: Transaction, userId: string) =>
  tx.query({
    name: 'orders-of-user-lock',
    text: `select pg_advisory_xact_lock(hashtextextended('payment orders of ' || $1::text, 0))`,
    values: [userId],
  })
