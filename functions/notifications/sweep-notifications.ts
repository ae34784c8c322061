import { sweepOutbox } from '../host/database/sweep.ts'
import type { Database } from '../host/database/database.ts'
import type { Config } from '../host/config.ts'
import type { Tools } from '../host/tools.ts'
import { operation } from '../host/operation.ts'
import { wakeRedrives } from './dead-letters/wake-redrives.ts'

/** Wakes messages whose next attempt is due and redrives that nobody is at, and publishes events that a crash
 * left in the outbox. A PingSource calls it. */
export default operation({
  name: 'sweep-notifications',
  context: 'notifications',
  summary:
    'Publishes events that were left in the outbox of notifications, and those of messages that are due',
  consumes: {
    contracts: 'any',
    async receive(event, tools, state, delivery) {
      try {
        await wakeMessages(tools.db)
        await wakeRedrives(tools, delivery.traceparent)
        await forgetOld(tools, performance.now() + FORGETTING_MS_MAX)
      } finally {
        await sweepOutbox.receive(event, tools, state as never, delivery)
      }
    },
  },
})

const WOKEN_AT_ONCE = 100
/** A sweep has seconds, and there is another one soon. */
const ROUNDS_MAX = 100

/** Puts the events of messages that are due into the outbox again, from where they are published at once.
 * Such a message is then left alone for an hour: its event may wait in the Broker for so long if a channel
 * is slow, and if each sweep added another, the queue would grow without end. A message that is to be left
 * alone for longer is woken, too: perhaps the clock was set back. If it was not, because a provider has asked
 * for the wait, the event does nothing. */
async function wakeMessages(db: Database): Promise<void> {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const [woken] = await db.query<{ count: number }>({
      text: `with due as (
          update messages
          set wake_at = case when next_attempt_at between now() and now() + interval '1 hour' then next_attempt_at
            else now() + interval '1 hour' end
          where id = any (
            array(
              select id from messages where status = 'stored' and wake_at <= now()
              order by wake_at limit ${WOKEN_AT_ONCE} for update skip locked
            ) || array(
              select id from messages where status = 'stored' and wake_at > now() + interval '61 minutes'
              order by wake_at limit ${WOKEN_AT_ONCE} for update skip locked
            )
          )
          returning id
        )
        insert into outbox_pending (event_ids, claimed_until)
        select array_agg(event_id_of(id)), now() from due having count(*) > 0
        returning cardinality(event_ids) as count`,
    })
    if (!woken || woken.count < WOKEN_AT_ONCE) return
  }
}

/** Milliseconds after which no further round of forgetting begins. */
const FORGETTING_MS_MAX = 3_000
const FORGOTTEN_AT_ONCE = 1_000

interface Kept {
  what: string
  /** Deletes FORGOTTEN_AT_ONCE of them at most, and returns their ids. */
  text: string
  values?: (config: Config) => unknown[]
}

/** What is kept no longer, in the order in which it goes. A message's attempts go with it. A notification
 * goes after all of its messages, and not before its event is published: the event follows from its row. */
const OLD: readonly Kept[] = [
  {
    what: 'messages',
    text: `delete from messages where id = any (array(
        select id from messages where finished_at < now() - interval '90 days'
        order by finished_at limit ${FORGOTTEN_AT_ONCE} for update skip locked
      )) returning id`,
  },
  {
    what: 'notifications',
    text: `delete from notifications where id = any (array(
        select id from notifications n
        where id < least_id(now() - make_interval(days => $1))
          and not exists (select from messages where notification_id = n.id)
          and event_id_of(id) <> all (array(
            select waiting from outbox_pending p cross join lateral unnest(p.event_ids) waiting
            where waiting < least_id(now() - make_interval(days => $1))
          ))
        order by id limit ${FORGOTTEN_AT_ONCE} for update skip locked
      )) returning id`,
    values: ({ NOTIFICATIONS_KEPT_DAYS: days }) => [days],
  },
  {
    what: 'dead letters',
    text: `delete from dead_letters where id = any (array(
        select id from dead_letters
        where created_at < now() - interval '30 days' and (
          status = 'redriven' and redriven_at < now() - interval '30 days'
          or greatest(last_at, redriven_at, discarded_at) < now() - interval '90 days')
        order by created_at limit ${FORGOTTEN_AT_ONCE} for update skip locked
      )) returning id`,
  },
  {
    what: 'groups of dead letters',
    text: `delete from dead_letter_groups where id = any (array(
        select id from dead_letter_groups g
        where last_at < now() - interval '30 days' and not exists (select from dead_letters where group_id = g.id)
        limit ${FORGOTTEN_AT_ONCE} for update skip locked
      )) returning id`,
  },
  {
    what: 'redrives',
    text: `delete from dead_letter_redrives where id = any (array(
        select id from dead_letter_redrives where created_at < now() - interval '90 days' and status <> 'running'
        order by created_at limit ${FORGOTTEN_AT_ONCE} for update skip locked
      )) returning id`,
  },
]

/** Deletes what is old, in rounds of a small step for each kind: so none waits for as long as there is much
 * of another. What is left at `endsAt` waits for the next sweep. */
async function forgetOld(
  { db, log, config }: Pick<Tools, 'db' | 'log' | 'config'>,
  endsAt: number,
): Promise<void> {
  const forgotten = new Map<string, number>()
  for (let left = OLD; left.length > 0;) {
    const unfinished: Kept[] = []
    for (const kept of left) {
      const { what, text, values } = kept
      const { length } = await db.query({ text, ...(values && { values: values(config) }) })
      forgotten.set(what, (forgotten.get(what) ?? 0) + length)
      if (length === FORGOTTEN_AT_ONCE) unfinished.push(kept)
    }
    left = performance.now() < endsAt ? unfinished : []
  }
  for (const [what, count] of forgotten) if (count > 0) log.info(`deleted old ${what}`, { count })
}
