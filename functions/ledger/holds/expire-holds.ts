import type { Tools } from '../../host/tools.ts'

/** Ends holds that are due, until there are none or the time is over; what is left waits for the next sweep.
 * Until it comes, a hold that is due can't be captured, but still counts as held; a payment that would be
 * refused because of it ends it first. Holds of an account whose books are wrong stay, and are told in the
 * log and in `stuck_holds`; so do those of a currency whose postings are stopped. */
export async function expireHolds({ db, log }: Pick<Tools, 'db' | 'log'>, timeMs: number): Promise<void> {
  const endsAt = performance.now() + timeMs
  let expired = 0
  for (;;) {
    // Each call commits some hundreds, so a crash loses nothing that was done.
    const [row] = await db.query<{ count: number }>({
      name: 'holds-expire',
      text: 'select expire_holds() as count',
    })
    expired += row!.count
    if (row!.count === 0 || performance.now() > endsAt) break
  }
  // The rest of them go on; these are tried again after a quarter of an hour.
  const stuck = await db.query<{ account_id: string; error: string }>({
    text: `select account_id, error from stuck_holds where failed_at > now() - interval '1 minute' limit 20`,
  })
  if (stuck.length > 0)
    log.error('holds could not be ended: the books of their accounts are wrong', { stuck })
  if (expired > 0) log.info('holds expired', { holds: expired })
}
