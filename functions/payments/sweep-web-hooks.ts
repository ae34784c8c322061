import { webhookQueued } from '../../eventing/contracts/webhook.queued.ts'
import { operation } from '../host/operation.ts'
import type { Tools } from '../host/tools.ts'

const KEPT = '30 days'
const FORGOTTEN_AT_ONCE = 5_000
const WOKEN_AT_ONCE = 1_000

/** Finds hooks for which something is due: a retry whose time has come, or what a process that died has left.
 * A PingSource calls it every minute. */
export default operation({
  name: 'sweep-web-hooks',
  context: 'payments',
  summary: 'Has web hooks attempted again when their time comes, and deletes old deliveries',
  consumes: {
    contracts: 'any',
    async receive(_event, { db, transact, log }, _state, { traceparent }) {
      const woken = await wakeDue(transact, traceparent)
      const forgotten = await forgetOld(db)
      if (woken + forgotten > 0) log.info('web hooks swept', { woken, forgotten })
    },
  },
})

const wakeDue = (transact: Tools['transact'], traceparent: string): Promise<number> =>
  transact(traceparent, async (tx) => {
    // In no order, so that if there are too many, each has its turn.
    const hooks = await tx.query<{ id: string }>({
      name: 'web-hooks-due',
      text: `select h.id from web_hooks h
        where h.status = 'active' and is_over(h.blocked_until, h.failed_at, now()) and exists (
          select from web_hook_deliveries d
          where d.web_hook_id = h.id and d.status = 'pending'
            and is_over(d.next_attempt_at, coalesce(d.attempted_at, d.created_at), now())
            and is_over(d.claimed_at + interval '30 seconds', d.claimed_at, now())
        )
        order by random() limit ${WOKEN_AT_ONCE}`,
    })
    for (const { id } of hooks)
      tx.emit(webhookQueued, { subject: id, partitionkey: id, data: { web_hook_id: id } })
    return hooks.length
  })

/** Deletes old deliveries, whatever became of them. Returns how many. */
async function forgetOld(db: Tools['db']): Promise<number> {
  const rows = await db.query({
    name: 'web-hook-deliveries-forget',
    text: `delete from web_hook_deliveries where id = any (array(
        select id from web_hook_deliveries where created_at < now() - interval '${KEPT}'
        order by created_at limit ${FORGOTTEN_AT_ONCE} for update skip locked
      )) returning id`,
  })
  return rows.length
}
