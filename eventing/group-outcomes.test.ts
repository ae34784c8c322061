import { openDatabase } from '../functions/host/database/database.ts'
import { createLog } from '../monitoring/log.ts'
import { testDatabase } from '../tests/support/databases.ts'
import { until } from '../tests/support/until.ts'
import { storeOutcomes } from './group-outcomes.ts'

const silent = createLog({}, 'error', () => {})

test('outcomes are stored in spite of a deadlock with another process that publishes the same rows', async () => {
  const database = await testDatabase('notifications')
  // A superuser may set deadlock_timeout, and no time-out of a role ends what waits here.
  const { superuserUrl: url } = database
  const open = () => openDatabase({ url, poolMax: 2, name: 'test', log: silent, timeoutMs: 240_000 })
  const [db, other] = [open(), open()]
  const rows = await db.query<{ id: string }>({
    text: `insert into outbox_pending (event_ids) select array[uuidv7()] from generate_series(1, 3) returning id`,
  })
  const ids = rows.map(({ id }) => id).sort()
  const lock = (n: number) => ({
    text: 'select from outbox_pending where id = $1 for update',
    values: [ids[n]],
  })
  const waiting = async (count: number): Promise<boolean> => {
    const found = await db.query({
      text: `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    })
    return found.length === count
  }
  // Who waits looks for a deadlock once, a second later: so the wait that closes the circle has to be that of
  // the one which may fail. It has the first row and waits for the second, the other has the third and waits
  // for the first; then the second is free.
  let storing: Promise<unknown> | undefined
  let blocked: Promise<unknown> | undefined
  await other.transaction(async (holder) => {
    await holder.query(lock(1))
    let hasThird: () => void = () => undefined
    const third = new Promise<void>((resolve) => (hasThird = resolve))
    blocked = other.transaction(async (tx) => {
      await tx.query({ text: `set local deadlock_timeout = '10min'` })
      await tx.query(lock(2))
      hasThird()
      await until(() => waiting(1), { what: 'the outcomes to wait' })
      await tx.query(lock(0))
    })
    await third
    const groups = ids.map((id) => ({ id, confirmed: ['e'], refused: [], failed: 0, left: 0 }))
    storing = storeOutcomes(db, silent, groups)
    storing.catch(() => {})
    await until(() => waiting(2), { what: 'the circle but for its end' })
  })
  await Promise.all([storing, blocked])
  expect(await db.query({ text: 'select from outbox_pending' })).toEqual([])
  await db.close()
  await other.close()
  await database.drop()
})
