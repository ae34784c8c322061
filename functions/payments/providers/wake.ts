import type { Tools } from '../../host/tools.ts'
import { emitDue } from './events.ts'

const WOKEN_AT_ONCE = 500
const HOOKS_KEPT = '90 days'

/** Has somebody look after transfers that a process left when it died, and those whose provider has not been
 * heard for long: a lost web hook must not lose money. What is disputed is asked for ever more rarely,
 * because it waits for an operator. Also forgets old web hooks; their signatures are no longer valid by
 * then. */
export async function wakeTransfers(
  { db, transact }: Pick<Tools, 'db' | 'transact'>,
  traceparent: string,
): Promise<void> {
  await transact(traceparent, async (tx) => {
    const due = await tx.query<{ id: string; user_id: string }>({
      name: 'provider-transfers-wake',
      text: `update provider_transfers set taken_at = now(), next_at = now() + case when dispute is null
          then interval '1 minute' else least(interval '15 minutes' + (now() - created_at) / 8, interval '1 day') end
        where id = any (array(
          select id from provider_transfers
          where ended_at is null and is_over(next_at, taken_at, now())
          order by next_at limit ${WOKEN_AT_ONCE} for update skip locked
        ))
        returning id, user_id`,
    })
    for (const transfer of due) emitDue(tx, transfer)
  })
  await db.query({
    name: 'provider-hooks-forget',
    text: `delete from provider_hooks where (provider, hook_id) = any (array(
        select row(provider, hook_id) from provider_hooks where received_at < now() - interval '${HOOKS_KEPT}'
        order by received_at limit 1000
      ))`,
  })
}
