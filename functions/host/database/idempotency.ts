import type { Database, Transaction } from './database.ts'
import type { IdempotencyKey } from '../route-request.ts'
import type { Reply } from '../reply.ts'
import { problem, problems } from '../problems.ts'

interface KeyRow {
  request_hash: Buffer
  outcome: Reply | null
}

/** Runs `work` once per Idempotency-Key, inside the database transaction that holds its effect.
 *
 * The first request with a key runs `work`, and its reply (a refusal too) is stored with the effect. Later
 * requests with that key get:
 * - the stored reply, with `Idempotency-Replayed: true`;
 * - 422 if their content differs;
 * - 409 while the first is still running.
 *
 * Without a key, `work` just runs. `work` must return, not throw, whatever is to be remembered: an error
 * rolls back and leaves the key unused. */
export async function once(
  tx: Transaction,
  operation: string,
  key: IdempotencyKey | undefined,
  work: () => Promise<Reply>,
): Promise<Reply> {
  if (!key) return work()
  // The request that inserts the row below holds this lock until its transaction ends. If the lock is taken,
  // a request with the same key is running now.
  const [lock] = await tx.query<{ free: boolean }>({
    name: 'idempotency-lock',
    text: `select pg_try_advisory_xact_lock(hashtextextended($1 || chr(31) || $2, 0)) as free`,
    values: [key.owner, key.key],
  })
  if (!lock?.free)
    return problem(problems.idempotencyKeyInUse, 'Repeat it when the first request has been answered.')

  const inserted = await tx.query({
    name: 'idempotency-insert',
    text: `insert into idempotency_keys (id, request_hash, operation) values (idempotency_id($1, $2), $3, $4)
      on conflict do nothing returning id`,
    values: [key.owner, key.key, key.requestHash, operation],
  })
  if (inserted.length === 0) {
    const earlier = await earlierReply(tx, key)
    if (!earlier) throw new Error('an idempotency key was removed while it was read')
    return earlier
  }

  const reply = await work()
  await tx.query({
    name: 'idempotency-outcome',
    text: `update idempotency_keys set outcome = $3 where id = idempotency_id($1, $2)`,
    // What it was about is in the audit.
    values: [key.owner, key.key, JSON.stringify({ ...reply, about: undefined })],
  })
  return reply
}

/** Returns what a request with this key gets without running: the first answer, or a refusal. Undefined if
 * there was none, or no key; then once() decides. It spares work that only serves the effect. */
export async function earlierReply(
  tx: Transaction,
  key: IdempotencyKey | undefined,
): Promise<Reply | undefined> {
  if (!key) return undefined
  const [row] = await tx.query<KeyRow>({
    name: 'idempotency-read',
    text: `select request_hash, outcome from idempotency_keys where id = idempotency_id($1, $2)`,
    values: [key.owner, key.key],
  })
  if (!row) return undefined
  if (!row.request_hash.equals(key.requestHash)) return keyReused()
  if (!row.outcome)
    return problem(problems.idempotencyKeyInUse, 'Repeat it when the first request has been answered.')
  return replayed(row.outcome)
}

const KEPT_DAYS = 7
const FORGOTTEN_AT_ONCE = 5_000

/** Deletes keys older than a week; the same request with such a key counts as new. Many processes may call
 * this at once, and none waits for another. Returns the number of keys deleted. */
export async function forgetOldKeys(db: Database, timeMaxMs = Infinity): Promise<number> {
  const endsAt = performance.now() + timeMaxMs
  for (let total = 0; ;) {
    const rows = await db.query({
      name: 'idempotency-forget',
      text: `delete from idempotency_keys where ctid = any (array(
          select ctid from idempotency_keys where created_at < now() - interval '${KEPT_DAYS} days'
          order by created_at limit ${FORGOTTEN_AT_ONCE} for update skip locked
        ))
        returning id`,
    })
    total += rows.length
    if (rows.length < FORGOTTEN_AT_ONCE || performance.now() >= endsAt) return total
  }
}

/** Returns the refusal (422) of a key that was used before for another request. */
export const keyReused = (): Reply =>
  problem(
    problems.idempotencyKeyReused,
    'This Idempotency-Key was used before, for a request with other content.',
  )

/** Marks a stored reply as a repeat of the first answer. */
export const replayed = (reply: Reply): Reply => ({
  ...reply,
  headers: { ...reply.headers, 'idempotency-replayed': 'true' },
})
