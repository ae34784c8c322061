import type { Transaction } from '../host/database/database.ts'
import { requireIssuedSince } from '../host/issued-since.ts'
import type { Caller } from '../host/route-request.ts'

/** Locks what a user has set up: whoever else changes or erases it waits until the transaction ends. */
export const lockOwner = (tx: Transaction, userId: string) =>
  tx.query({
    name: 'owner-lock',
    text: `select pg_advisory_xact_lock(hashtextextended('owner ' || $1::text, 0))`,
    values: [userId],
  })

/** Locks what the caller has set up, and resolves with false if they were deleted: their access token is good
 * for some minutes more, and what they store then would be kept for ever. Rejects with a ProblemError (401)
 * if the token was issued before a new owner of the address set a password. */
export async function isOwner(tx: Transaction, caller: Caller): Promise<boolean> {
  await lockOwner(tx, caller.userId)
  const [contact] = await tx.query<{ deleted_at: Date | null; renewed_at: Date | null }>({
    name: 'owner-state',
    text: 'select deleted_at, renewed_at from contacts where user_id = $1',
    values: [caller.userId],
  })
  requireIssuedSince(caller, contact?.renewed_at)
  return !contact?.deleted_at
}
