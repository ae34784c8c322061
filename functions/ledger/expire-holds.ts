import { operation } from '../host/operation.ts'

// Less than the Service's 30 s, so that this function ends by itself. What is left waits for the next minute.
const TIME_MS_MAX = 20_000

/** Ends holds that are due. A PingSource calls it every minute. Until it comes, a hold that is due can't be
 * captured, but still counts as held; a payment that would be refused because of it ends it first. */
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
      if (expired === 0) return
      log.info('holds expired', { holds: expired })
      await outbox.sweep()
    },
  },
})
