import fc from 'fast-check'
import { randomUUID } from 'node:crypto'
import { openDatabase, type Database } from '../functions/host/database/database.ts'
import { storeNotifications } from '../functions/notifications/store.ts'
import { createLog } from '../monitoring/log.ts'
import { testDatabase, type TestDatabase } from '../tests/support/databases.ts'
import { until } from '../tests/support/until.ts'
import { notificationStored } from './contracts/notification.stored.ts'
import type { Queryable } from './database/queryable.ts'
import { createOutbox, writeEvents, type Outbox } from './outbox.ts'
import type { PendingEvent } from './outbox-event.ts'

/** What survives when processes publish the same events at once, fail and die. */

let database: TestDatabase
let db: Database

beforeAll(async () => {
  database = await testDatabase('notifications')
  db = openDatabase({ url: database.url, poolMax: 8, name: 'test', log: silent })
})
afterAll(async () => {
  await db.close()
  await database.drop()
})

const silent = createLog({}, 'error', () => {})

/** A Broker that keeps what it confirms, and how each event was first sent. */
interface Broker {
  confirmed: Set<string>
  sent: Map<string, string>
  /** Events that were not sent a second time as they were sent first. */
  changed: string[]
}

const brokerOf = (): Broker => ({ confirmed: new Set(), sent: new Map(), changed: [] })

type Luck = () => number

/** A process with an outbox. Once it is dead, it changes nothing any more. */
interface Process {
  outbox: Outbox
  isDead: boolean
}

/** `luck` gives numbers from 0 to 99, which decide what fails; without it nothing does. */
function processOf(broker: Broker, luck: Luck = () => 99): Process {
  const process = { isDead: false } as Process
  const flaky: Queryable = {
    query: async (statement) => {
      if (process.isDead) return new Promise(() => {})
      if (luck() < 8) throw new Error('the database is away')
      const rows = await db.query(statement)
      if (luck() < 4) throw new Error('the answer is lost')
      // A process may die at any line; it is at one of these that others can tell.
      return process.isDead ? new Promise(() => {}) : (rows as never)
    },
  }
  const post: Parameters<typeof createOutbox>[0]['post'] = (headers, body, done) => {
    const id = headers['ce-id']!
    const text = JSON.stringify([Object.entries(headers).sort(), body])
    if (process.isDead) return
    if (broker.sent.has(id) && broker.sent.get(id) !== text) broker.changed.push(id)
    broker.sent.set(id, broker.sent.get(id) ?? text)
    const chance = luck()
    setImmediate(() => {
      if (chance < 5) return done(503)
      if (chance < 8) return done(400)
      broker.confirmed.add(id)
      if (!process.isDead) done(chance < 12 ? 0 : 202)
    })
  }
  process.outbox = createOutbox({ db: flaky, post, log: silent })
  return process
}

/** Sets the database's clock back, as its rows see it. */
const setBack = () =>
  db.query({
    text: `update outbox_pending
      set claimed_at = claimed_at + interval '1 day', claimed_until = claimed_until + interval '1 day'`,
  })

const traceparent = (): string => `00-${randomUUID().replaceAll('-', '')}-b7ad6b7169203331-01`

/** Commits events of both kinds: stored ones, and ones that are derived from notifications. */
const commit = async (count: number, isDerived: boolean): Promise<PendingEvent[]> =>
  isDerived
    ? storeNotifications(
        db,
        Array.from({ length: Math.min(count, 100) }, () => ({
          consumer: 'notify',
          event_source: '/s',
          event_id: randomUUID(),
          event_type: 'a',
          user_id: randomUUID(),
          subject: 's',
          message: 'm',
          traceparent: traceparent(),
        })),
      )
    : db.transaction((tx) =>
        writeEvents(
          tx,
          Array.from({ length: count }, (_, n) => ({
            contract: notificationStored,
            event: { subject: `s${n}`, partitionkey: 'p', data: { n } },
          })),
          traceparent(),
        ),
      )

const pending = async (): Promise<string[]> =>
  (await db.query<{ id: string }>({ text: 'select unnest(event_ids) as id from outbox_pending' })).map(
    ({ id }) => id,
  )

const expire = () => db.query({ text: `update outbox_pending set claimed_until = now()` })

const step = fc.record({
  what: fc.constantFrom(
    'write',
    'write',
    'write and die',
    'sweep',
    'sweep',
    'expire',
    'set back',
    'die',
    'drain',
  ),
  who: fc.nat(2),
  count: fc.integer({ min: 1, max: 250 }),
  isDerived: fc.boolean(),
  waits: fc.boolean(),
})

test('an event stays pending until it is confirmed, and is sent the same each time, whatever fails', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 25, size: 'max' }),
      fc.infiniteStream(fc.nat(99)),
      async (steps, chances) => {
        const luck: Luck = () => chances.next().value!
        await db.query({ text: 'delete from outbox_pending' })
        const broker = brokerOf()
        const processes = [0, 1, 2].map(() => processOf(broker, luck))
        const committed: string[] = []
        const expectNoneLost = async (): Promise<void> => {
          const known = [...committed]
          const kept = new Set(await pending())
          expect(known.filter((id) => !kept.has(id) && !broker.confirmed.has(id))).toEqual([])
        }
        const die = (who: number): void => {
          processes[who]!.isDead = true
          processes[who] = processOf(broker, luck)
        }
        for (const { what, who, count, isDerived, waits } of steps) {
          const { outbox } = processes[who]!
          let work: Promise<unknown> = Promise.resolve()
          if (what.startsWith('write')) {
            const events = await commit(count, isDerived)
            committed.push(...events.map(({ id }) => id))
            outbox.publish(events)
          }
          if (what === 'sweep') work = outbox.sweep().catch(() => {})
          if (what === 'expire') work = expire()
          if (what === 'set back') work = setBack()
          if (what === 'drain') work = outbox.drain()
          if (what.endsWith('die')) die(who)
          if (waits && what !== 'drain') await work
          await expectNoneLost()
        }
        processes.forEach((_, who) => die(who))
        await expectNoneLost()
        const heir = processOf(broker)
        await until(async () => {
          await expire()
          await heir.outbox.sweep()
          return (await pending()).length === 0
        })
        expect(committed.filter((id) => !broker.confirmed.has(id))).toEqual([])
        expect(broker.changed).toEqual([])
      },
    ),
    { numRuns: 25 },
  )
})
