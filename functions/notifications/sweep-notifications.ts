import { sweepOutbox } from '../host/database/sweep.ts'
import type { Database } from '../host/database/database.ts'
import { operation } from '../host/operation.ts'

/** Wakes messages whose next attempt is due, and publishes events that a crash left in the outbox. A
 * PingSource calls it. */
export default operation({
  name: 'sweep-notifications',
  context: 'notifications',
  summary:
    'Publishes events that were left in the outbox of notifications, and those of messages that are due',
  consumes: {
    contracts: 'any',
    async receive(event, tools, state, delivery) {
      await wakeMessages(tools.db)
      await sweepOutbox.receive(event, tools, state as never, delivery)
    },
  },
})

const WOKEN_AT_ONCE = 100

/** Puts the events of messages that are due into the outbox again, from where they are published at once. A
 * message that was woken a moment ago may still wait in the Broker, so it is left alone for a while. */
async function wakeMessages(db: Database): Promise<void> {
  for (;;) {
    const [woken] = await db.query<{ count: number }>({
      text: `with due as (
          update messages set woken_at = now()
          where id = any (array(
            select id from messages
            where status = 'stored' and next_attempt_at <= now()
              and (woken_at <= now() - interval '4 minutes' or woken_at > now())
            order by next_attempt_at limit ${WOKEN_AT_ONCE} for update skip locked
          ))
          returning id
        )
        insert into outbox_pending (event_ids, claimed_until)
        select array_agg(event_id_of(id)), now() from due having count(*) > 0
        returning cardinality(event_ids) as count`,
    })
    if (!woken || woken.count < WOKEN_AT_ONCE) return
  }
}
