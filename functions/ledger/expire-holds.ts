import { operation } from '../host/operation.ts'

// Less than the Service's 30 s, so that this function ends by itself. What is left waits for the next minute.
const TIME_MS_MAX = 20_000

/** Ends holds that are due. A PingSource calls it every minute. Until it comes, a hold that is due can't be
 * captured, but still counts as held; a payment that would be refused because of it ends it first. Holds of
 * an account whose books are wrong stay, and are told in the log and in `stuck_holds`; so do those of a
 * currency whose postings are stopped. */
export default operation({
  name: 'expire-holds',
  context: 'ledger',
  summary: 'Ends holds that nobody captured or released in time',
  consumes: {
    contracts: 'any',
    async receive(_event, { db, outbox, log }) {
      const endsAt = performance.now() + TIME_MS_MAX
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
      if (expired === 0) return
      log.info('holds expired', { holds: expired })
      await outbox.sweep(TIME_MS_MAX / 4)
    },
  },
})
