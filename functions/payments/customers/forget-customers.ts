import type { Tools } from '../../host/tools.ts'

const CUSTOMERS_AT_ONCE = 100
const ROWS_AT_ONCE = 2_000
const TIME_MS_MAX = 5_000

/** Erases what customers who left have written about others (0007-left-customers.sql), in small steps. What
 * is under way, or does not fit into the time, waits for the next sweep. */
export async function forgetCustomers({ db, log }: Pick<Tools, 'db' | 'log'>): Promise<void> {
  const endsAt = performance.now() + TIME_MS_MAX
  // In random order, so that each gets a turn even if some take long.
  const left = await db.query<{ user_id: string }>({
    name: 'customers-left',
    text: `select user_id from web_hook_owners where left_at is not null and forgotten_at is null
      order by random() limit ${CUSTOMERS_AT_ONCE}`,
  })
  let erased = 0
  for (const { user_id: userId } of left)
    for (let step = 1; step > 0 && performance.now() < endsAt; erased += step) {
      const [row] = await db.query<{ handled: bigint }>({
        name: 'customer-forget',
        text: `select forget_customer($1, ${ROWS_AT_ONCE}) as handled`,
        values: [userId],
      })
      step = Number(row!.handled)
    }
  if (erased > 0) log.info('erased what customers who left had written', { forgotten: erased })
}
