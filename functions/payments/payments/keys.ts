import type { Transaction } from '../../host/database/database.ts'
import type { IdempotencyKey } from '../../host/route-request.ts'

/** What a request's key stands for: nothing before it, the thing of an earlier request, or other content. */
export type ClaimedKey = 'first' | 'reused' | { subject: string }

/** Claims a request's Idempotency-Key for the thing with the id `subject`. Run it in the database transaction
 * that makes the thing. If another request with the key is doing so now, this waits until that one ends.
 *
 * Unlike once() it stores no answer: what came of the thing follows from the thing. */
export async function claimKey(
  tx: Transaction,
  operation: string,
  key: IdempotencyKey | undefined,
  subject: string,
): Promise<ClaimedKey> {
  if (!key) return 'first'
  const inserted = await tx.query({
    name: 'key-claim',
    text: `insert into idempotency_keys (id, request_hash, operation, subject)
      values (idempotency_id($1, $2), $3, $4, $5) on conflict do nothing returning id`,
    values: [key.owner, key.key, key.requestHash, operation, subject],
  })
  if (inserted.length > 0) return 'first'
  const known = await readKey(tx, key)
  return known === 'first' ? 'reused' : known
}

/** Returns what an earlier request with the key stands for, like claimKey(), and claims nothing: 'first' if
 * there was none. */
export async function readKey(tx: Transaction, key: IdempotencyKey | undefined): Promise<ClaimedKey> {
  if (!key) return 'first'
  const [known] = await tx.query<{ request_hash: Buffer; subject: string }>({
    name: 'key-claimed',
    text: 'select request_hash, subject from idempotency_keys where id = idempotency_id($1, $2)',
    values: [key.owner, key.key],
  })
  if (!known) return 'first'
  return known.request_hash.equals(key.requestHash) ? { subject: known.subject } : 'reused'
}
