import { setImmediate } from 'node:timers/promises'
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

test('after a group of several, more are waited for; after a lone item, none are', async () => {
  const committed: number[][] = []
  const gathering: (() => void)[] = []
  const run = createGroupCommit<number, number>({
    commit: async (items) => {
      committed.push(items)
      return { results: items, events: [] }
    },
    outbox: { publish: () => {} },
    groupMax: 10,
    gather: () => new Promise((resolve) => gathering.push(resolve)),
  })
  expect(await run(1)).toBe(1)
  expect(gathering).toHaveLength(0)
  expect(await Promise.all([2, 3, 4].map(run))).toEqual([2, 3, 4])
  expect(committed).toEqual([[1], [2, 3, 4]])

  await until(() => gathering.length === 1, { what: 'the wait for more' })
  const more = [run(5)]
  await setImmediate()
  more.push(run(6))
  await setImmediate()
  expect(committed).toHaveLength(2)
  gathering[0]!()
  expect(await Promise.all(more)).toEqual([5, 6])
  expect(committed[2]).toEqual([5, 6])

  // Nobody came: the next one need not wait.
  await until(() => gathering.length === 2, { what: 'the next wait for more' })
  gathering[1]!()
  await setImmediate()
  expect(await run(7)).toBe(7)
  expect(committed[3]).toEqual([7])
})

test('a group that is large already is not waited for', async () => {
  let gathered = 0
  const committed: number[] = []
  const run = createGroupCommit<number, number>({
    commit: async (items) => {
      committed.push(items.length)
      return { results: items, events: [] }
    },
    outbox: { publish: () => {} },
    groupMax: 40,
    gather: async () => void gathered++,
  })
  await Promise.all(Array.from({ length: 100 }, (_, n) => run(n)))
  expect(committed).toEqual([1, 40, 40, 19])
  expect(gathered).toBe(2)
})
