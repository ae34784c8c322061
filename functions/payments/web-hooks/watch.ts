import { UnavailableError } from '../../../eventing/unavailable.ts'
import type { Transaction } from '../../host/database/database.ts'
import type { Tools } from '../../host/tools.ts'
import { fieldsOf, notAsAgreed } from '../payments/ledger-answers.ts'
import { watchedTypes } from './types.ts'

/** Watches: the ledger offers the events of a posting or a hold only if they concern somebody who is watched.
 * So the owner of a hook is watched before the hook is stored, and until some time after it has gone.
 *
 * Versions are counted here, in the owner's row. A sweep that finds no hook which wants such events notes up
 * to which version it ends the watch, with the row locked, before it asks the ledger. Whoever stores a hook
 * locks the row too, and stores it only if its own watch has a higher version. So no hook is ever without. */

/** Whose events are offered. */
export interface Watcher {
  userId: string
  /** An operator's hook gets the events of everybody. */
  seesAll: boolean
}

/** What of a hook says whether it gets events of postings or holds. */
export interface WatchingHook {
  types: readonly string[]
  status: 'active' | 'paused'
}

/** Says whether a hook gets events that are offered only for whom is watched. WANTS_WATCH says the same. */
export const wantsWatch = ({ types, status }: WatchingHook): boolean =>
  status === 'active' && types.some((type) => watchedTypes.includes(type))

/** The condition of wantsWatch() on a row of web_hooks. */
export const WANTS_WATCH = `status = 'active' and types && '{${watchedTypes.join()}}'`

/** Begins a watch. Resolves with its version when the ledger has it; rejects with UnavailableError if it
 * can't be reached. What dies in between leaves a watch without a hook, and the owner's row says so: a sweep
 * ends it. */
export async function watch(
  { db, callFor }: Pick<Tools, 'db' | 'callFor'>,
  watcher: Watcher,
  traceparent: string,
): Promise<bigint> {
  const [begun] = await db.query<{ watch_version: bigint }>({
    name: 'web-hook-owner-watch',
    text: `insert into web_hook_owners as known (user_id, is_watched, watch_version, watched_at)
      values ($1, true, 1, now())
      on conflict (user_id) do update
        set is_watched = true, watch_version = known.watch_version + 1, watched_at = excluded.watched_at
      returning watch_version`,
    values: [watcher.userId],
  })
  const known = await tellLedger(callFor, watcher, begun!.watch_version, traceparent)
  await noteVersion(db, watcher.userId, known)
  return known
}

/** Tells the ledger of a watch. Resolves with the version that it has now: this one or a higher one. */
export async function tellLedger(
  callFor: Tools['callFor'],
  { userId, seesAll }: Watcher,
  version: bigint,
  traceparent: string,
): Promise<bigint> {
  const answer = await callFor(userId, traceparent)('watch-postings', {
    ...{ method: 'POST', path: '/posting-watches' },
    body: { version: Number(version), sees_all: seesAll },
    // It may be told twice. The version makes that harmless, also if an earlier one comes late.
    idempotencyKey: `watch-${version}`,
  })
  const { version: known } = fieldsOf(answer.body)
  if (answer.status !== 200 || typeof known !== 'number' || known < version) throw notAsAgreed(answer)
  return BigInt(known)
}

/** Notes which version the ledger has. A higher one than the owner's means that this database was restored
 * from a backup: it counts on from there. One that was to be ended is still there if the ledger heard of the
 * end first. A later version, under which there is no hook, makes a sweep end it again. */
export const noteVersion = (db: Pick<Tools['db'], 'query'>, userId: string, version: bigint) =>
  db.query({
    name: 'web-hook-owner-version',
    text: `update web_hook_owners set is_watched = is_watched or watch_ending >= $2,
        watch_version = greatest(watch_version, $2, watch_ending + 1)
      where user_id = $1 and (watch_version < $2 or watch_ending >= $2)`,
    values: [userId, version],
  })

/** Throws UnavailableError unless a hook may be stored that wants a watch. Call it with the owner's row
 * locked: `ending` is its watch_ending. */
export function requireWatch(version: bigint | undefined, ending: bigint): void {
  if (version === undefined || version <= ending)
    throw new UnavailableError('what the web hook needs has changed in this moment')
}

/** Locks the row of an owner until the transaction ends, before the rows of their hooks, as everywhere.
 * Resolves with the version up to which their watch has ended, or is about to; 0 if they never had a
 * hook. */
export async function lockOwner(tx: Transaction, userId: string): Promise<bigint> {
  const [owner] = await tx.query<{ watch_ending: bigint }>({
    name: 'web-hook-owner-lock',
    text: 'select watch_ending from web_hook_owners where user_id = $1 for no key update',
    values: [userId],
  })
  return owner?.watch_ending ?? 0n
}
