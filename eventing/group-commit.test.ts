import { createLog } from '../monitoring/log.ts'
import { testDatabase } from '../tests/support/databases.ts'
import { startSilentProxy } from '../tests/support/silent-proxy.ts'
import { until } from '../tests/support/until.ts'
import { openDatabase } from '../functions/host/database/database.ts'
import { createGroupCommit } from './group-commit.ts'
import { UnavailableError } from './unavailable.ts'

test('items that waited while the database was silent are refused, and don’t wait for it in turn', async () => {
  const database = await testDatabase('notifications')
  const proxy = await startSilentProxy(database.url)
  const log = createLog({}, 'error', () => {})
  const url = proxy.through(database.url)
  const db = openDatabase({ url, poolMax: 1, name: 'test', log, timeoutMs: 3_000 })
  const run = createGroupCommit<number, number>({
    commit: async (items) => {
      await db.query({ text: 'select 1' })
      return { results: items, events: [] }
    },
    outbox: { publish: () => {} },
    groupMax: 1,
  })
  // On a slow machine a connection may take longer than it may.
  const answers = (n: number) => until(async () => (await run(n)) === n, { what: `an answer to ${n}` })
  await answers(1)

  const { opened } = proxy
  proxy.silence()
  const waiting = await Promise.allSettled(Array.from({ length: 30 }, (_, n) => run(n)))
  for (const { status, ...rest } of waiting)
    expect([status, rest]).toEqual(['rejected', { reason: expect.any(UnavailableError) }])
  // Thirty attempts would have been thirty connections.
  expect(proxy.opened - opened).toBeLessThan(5)

  proxy.heal()
  await answers(2)
  await db.close()
  await proxy.stop()
  await database.drop()
})

test('what is committed is not committed again where its events could not be handed over', async () => {
  const committed: number[][] = []
  const warned = jest.spyOn(process, 'emitWarning').mockImplementation(() => {})
  const run = createGroupCommit<number, number>({
    commit: async (items) => {
      committed.push(items)
      return { results: items, events: [] }
    },
    outbox: {
      publish() {
        throw new Error('a defect')
      },
    },
    groupMax: 10,
  })
  expect(await Promise.all([1, 2, 3].map(run))).toEqual([1, 2, 3])
  expect(await run(4)).toBe(4)
  expect(committed).toEqual([[1], [2, 3], [4]])
  expect(warned).toHaveBeenCalledWith(new Error('a defect'))
  warned.mockRestore()
})
