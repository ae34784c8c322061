import { UnavailableError } from '../../../eventing/unavailable.ts'
import type { Tools } from '../../host/tools.ts'
import { fieldsOf, notAsAgreed } from '../payments/ledger-answers.ts'
import { lockOwner, noteVersion, tellLedger, WANTS_WATCH } from './watch.ts'

const OWNERS_AT_ONCE = 100
const TIME_MS_MAX = 5_000
/** Longer than a call's token is good for, so that no call to begin a watch arrives after that which ends it.
 * It also leaves time for the hook to be stored. */
const UNWANTED = '2 minutes'
/** Watches that are wanted are told again after this, in case the ledger's database was restored from a
 * backup. */
const TOLD_AGAIN = '1 hour'
/** The end of a watch is told again after this: a backup may have brought the watch back. That only costs
 * something, so it has more time. */
const END_TOLD_AGAIN = '1 day'

/** Tells the ledger again of the watches that are wanted, and ends those of owners who have no hook any more
 * that wants one; such an end is told again, too. What fails, or does not fit into the time, waits for the
 * next sweep. */
export async function sweepWatches(tools: Tools, traceparent: string): Promise<void> {
  try {
    await tellAndEnd(tools, traceparent)
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error
    tools.log.warn('the ledger was not told of watches for web hooks', { error: error.message })
  }
}

async function tellAndEnd(tools: Tools, traceparent: string): Promise<void> {
  const endsAt = performance.now() + TIME_MS_MAX
  // First, because without a watch a hook misses events, and one that is not wanted only costs something.
  for (const owner of await watchesToTell(tools.db)) {
    if (performance.now() > endsAt) return
    await tellAgain(tools, owner, traceparent)
  }
  for (const owner of await unwantedWatches(tools.db)) {
    if (performance.now() > endsAt) return
    await endWatch(tools, owner.user_id, traceparent)
  }
}

const WANTED = `exists (select from web_hooks where user_id = o.user_id and ${WANTS_WATCH})`

/** What is_over() says, in words that an index of watched_at can answer. */
const isLongAgo = (ago: string, at: string): string =>
  `(watched_at is null or watched_at <= ${at} - interval '${ago}' or watched_at > ${at})`

/** Of an owner whose watch may end at a moment, or whose watch's end may be told again. */
const isUnwanted = (at: string): string =>
  `(is_watched and ${isLongAgo(UNWANTED, at)}
    or not is_watched and watch_version > 0 and ${isLongAgo(END_TOLD_AGAIN, at)}) and not ${WANTED}`

// In random order, so that each gets a turn even if some fail.
const unwantedWatches = (db: Tools['db']) =>
  db.query<{ user_id: string }>({
    name: 'web-hook-owners-unwanted',
    text: `select user_id from web_hook_owners o
      where ${isUnwanted('now()')}
      order by random() limit ${OWNERS_AT_ONCE}`,
  })

/** Ends the watch of an owner, unless one of their hooks wants it. The ledger ends no watch of a higher
 * version, which somebody has begun since. */
async function endWatch(
  { db, callFor }: Pick<Tools, 'db' | 'callFor'>,
  userId: string,
  traceparent: string,
): Promise<void> {
  const ending = await db.transaction(async (tx) => {
    // The next statement sees the hook of whoever had the row locked.
    await lockOwner(tx, userId)
    const [owner] = await tx.query<{ watch_ending: bigint }>({
      name: 'web-hook-owner-end-watch',
      // Somebody may have begun it again since it was found, or while the row was locked: after now().
      text: `update web_hook_owners o set watch_ending = watch_version
        where user_id = $1 and ${isUnwanted('clock_timestamp()')} returning watch_ending`,
      values: [userId],
    })
    return owner?.watch_ending
  })
  if (ending === undefined) return
  const answer = await callFor(userId, traceparent)('watch-postings', {
    ...{ method: 'POST', path: '/posting-watches/end', body: { version: Number(ending) } },
    idempotencyKey: `end-watch-${ending}`,
  })
  const { version: left } = fieldsOf(answer.body)
  if (answer.status !== 200 || (left !== null && typeof left !== 'number')) throw notAsAgreed(answer)
  // The next sweep ends that one.
  if (left !== null) return void (await noteVersion(db, userId, BigInt(left)))
  await db.query({
    name: 'web-hook-owner-watch-ended',
    text: `update web_hook_owners set is_watched = false, watched_at = now()
      where user_id = $1 and watch_version = $2`,
    values: [userId, ending],
  })
}

interface ToldWatch {
  user_id: string
  watch_version: bigint
  sees_all: boolean
}

const watchesToTell = (db: Tools['db']) =>
  db.query<ToldWatch>({
    name: 'web-hook-owners-told-again',
    text: `select user_id, watch_version, sees_all
      from web_hook_owners o
      cross join lateral (
        select bool_or(is_operators) as sees_all from web_hooks where user_id = o.user_id and ${WANTS_WATCH}
      ) hooks
      where is_watched and ${isLongAgo(TOLD_AGAIN, 'now()')}
        and sees_all is not null
      order by random() limit ${OWNERS_AT_ONCE}`,
  })

async function tellAgain(
  { db, callFor }: Pick<Tools, 'db' | 'callFor'>,
  { user_id: userId, watch_version: version, sees_all: seesAll }: ToldWatch,
  traceparent: string,
): Promise<void> {
  const known = await tellLedger(callFor, { userId, seesAll }, version, traceparent)
  await db.query({
    name: 'web-hook-owner-told-again',
    // If the watch was ended meanwhile, this may have begun it again: then the next sweep ends it.
    text: `update web_hook_owners set is_watched = true, watch_version = greatest(watch_version, $2), watched_at = now()
      where user_id = $1`,
    values: [userId, known],
  })
}
