import { webhookQueued } from '../../../eventing/contracts/webhook.queued.ts'
import type { Tools } from '../../host/tools.ts'

const KEPT = '30 days'
const FORGOTTEN_AT_ONCE = 5_000
/** Half of the Service's 30 s. What is left then waits for the next sweep. */
const FORGETTING_MS_MAX = 15_000
const WOKEN_AT_ONCE = 1_000

/** Has hooks attempted for which something is due: a retry whose time has come, or what a process that died
 * has left. Deletes old deliveries. */
export async function sweepHooks({ db, transact, log }: Tools, traceparent: string): Promise<void> {
  const woken = await wakeDue(transact, traceparent)
  const forgotten = await forget(db)
  if (woken + forgotten > 0) log.info('web hooks swept', { woken, forgotten })
}

const wakeDue = (transact: Tools['transact'], traceparent: string): Promise<number> =>
  transact(traceparent, async (tx) => {
    // In no order, so that if there are too many, each has its turn.
    const hooks = await tx.query<{ id: string }>({
      name: 'web-hooks-due',
      text: `select h.id from web_hooks h
        cross join lateral due_web_hook_deliveries(h.id, now(), 1)
        where h.status = 'active' and is_over(h.blocked_until, h.failed_at, now())
        order by random() limit ${WOKEN_AT_ONCE}`,
    })
    for (const { id } of hooks)
      tx.emit(webhookQueued, { subject: id, partitionkey: id, data: { web_hook_id: id } })
    return hooks.length
  })

/** Deletes old deliveries, whatever became of them, and those of deleted hooks, in small steps until there
 * are none or the time is over. Returns how many. */
async function forget(db: Tools['db']): Promise<number> {
  const endsAt = performance.now() + FORGETTING_MS_MAX
  let forgotten = 0
  for (const statement of [OLD, OF_DELETED]) {
    for (let step = FORGOTTEN_AT_ONCE; step === FORGOTTEN_AT_ONCE && performance.now() < endsAt;) {
      step = (await db.query(statement)).length
      forgotten += step
    }
  }
  await db.query(DELETED_FOR_LONG)
  return forgotten
}

const OLD = {
  name: 'web-hook-deliveries-forget',
  text: `delete from web_hook_deliveries where id = any (array(
      select id from web_hook_deliveries where created_at < now() - interval '${KEPT}'
      order by created_at limit ${FORGOTTEN_AT_ONCE} for update skip locked
    )) returning id`,
}

const OF_DELETED = {
  name: 'web-hook-deliveries-of-deleted',
  text: `delete from web_hook_deliveries where id = any (array(
      select d.id from web_hooks_deleted h join web_hook_deliveries d on d.web_hook_id = h.web_hook_id
      limit ${FORGOTTEN_AT_ONCE} for update of d skip locked
    )) returning id`,
}

/** A delivery can be stored after its hook was deleted, by a transaction that began before. It takes seconds
 * at most. */
const DELETED_FOR_LONG = {
  name: 'web-hooks-deleted-for-long',
  text: `delete from web_hooks_deleted h where deleted_at < now() - interval '1 hour'
    and not exists (select from web_hook_deliveries d where d.web_hook_id = h.web_hook_id)`,
}
