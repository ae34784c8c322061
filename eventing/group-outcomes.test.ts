import { openDatabase } from '../functions/host/database/database.ts'
import { createLog } from '../monitoring/log.ts'
import { testDatabase } from '../tests/support/databases.ts'
import { until } from '../tests/support/until.ts'
import { storeOutcomes } from './group-outcomes.ts'

const silent = createLog({}, 'error', () => {})

test('outcomes are stored in spite of a deadlock with another process that publishes the same rows', async () => {
  const database = await testDatabase('notifications')
  const open = (url: string) => openDatabase({ url, poolMax: 2, name: 'test', log: silent })
  const db = open(database.url)
  const superuserUrl = new URL(database.superuserUrl)
  superuserUrl.pathname = `/${database.name}`
  const other = open(superuserUrl.href)
  const rows = await db.query<{ id: string }>({
    text: `insert into outbox_pending (event_ids) select array[uuidv7()] from generate_series(1, 2) returning id`,
  })
  const ids = rows.map(({ id }) => id).sort()
  const lock = { text: 'select from outbox_pending where id = $1 for update' }
  let storing: Promise<unknown> | undefined
  await other.transaction(async (tx) => {
    // Only the other one may notice the deadlock, and so fail.
    await tx.query({ text: `set local deadlock_timeout = '10min'` })
    await tx.query({ ...lock, values: [ids[1]] })
    const groups = ids.map((id) => ({ id, confirmed: ['e'], refused: [], failed: 0, left: 0 }))
    storing = storeOutcomes(db, silent, groups)
    storing.catch(() => {})
    await until(async () => {
      const waiting = await db.query({
        text: `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      })
      return waiting.length > 0
    })
    await tx.query({ ...lock, values: [ids[0]] })
  })
  await storing
  expect(await db.query({ text: 'select from outbox_pending' })).toEqual([])
  await db.close()
  await other.close()
  await database.drop()
})
