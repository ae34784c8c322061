import { inOtherProcess } from '../../../tests/support/other-process.ts'

/** Runs `steps` in a new process, and returns what the process would put into the header after each. */
async function told(steps: string): Promise<(string | null)[]> {
  const { child, message } = await inOtherProcess<(string | null)[]>(`
    import { portOpened, startTiming, timeFirstQuery, withStartTiming } from './functions/host/start/start-timing.ts'
    import { createServer } from 'node:http'
    const told = []
    const tell = () => told.push(startTiming() ?? null)
    const server = createServer().listen(0, '127.0.0.1', async () => { ${steps}; process.send(told) })`)
  child.kill()
  return message
}

const START = /^boot;dur=\d+\.\d;desc="accounts", load;dur=\d+\.\d;desc="accounts"/
const QUERY = /db;dur=\d+\.\d;desc="accounts"$/

test('the first answer tells how the process started, the others tell nothing', async () => {
  const [first, ...others] = await told(`portOpened('accounts'); tell(); tell(); tell()`)
  expect(first).toMatch(START)
  expect(first).not.toMatch(QUERY)
  expect(others).toEqual([null, null])
})

test('the times add up to the age of the process when its port opened', async () => {
  const [before, first, after] = await told(`
    told.push(String(performance.now()))
    portOpened('accounts')
    tell()
    told.push(String(performance.now()))`)
  const [boot, load] = [...first!.matchAll(/dur=([\d.]+)/g)].map((match) => Number(match[1]))
  expect(boot).toBeGreaterThan(0)
  // Both are rounded to 0.1 ms.
  expect(boot! + load!).toBeGreaterThan(Number(before) - 0.11)
  expect(boot! + load!).toBeLessThan(Number(after) + 0.11)
})

test('the next answer tells about the first query that succeeded, and about no other', async () => {
  const answers = await told(`
    portOpened('accounts')
    await timeFirstQuery(() => Promise.reject(new Error('the database is unreachable'))).catch(() => tell())
    await timeFirstQuery(async () => {}); tell()
    await timeFirstQuery(async () => {}); tell()`)
  expect(answers).toEqual([
    expect.not.stringMatching(QUERY),
    expect.stringMatching(/^db;dur=\d+\.\d;desc="accounts"$/),
    null,
  ])
})

test('an answer that needed a query tells about the start and the query, and gets the query’s result', async () => {
  const [result, both] = await told(`
    portOpened('accounts')
    told.push(await timeFirstQuery(async () => 'a row'))
    tell()`)
  expect(result).toBe('a row')
  expect(both).toMatch(START)
  expect(both).toMatch(QUERY)
})

test('what another function told is passed on, after its own', async () => {
  const theirs = 'boot;dur=1.0;desc="transfer"'
  const [first, second, third] = await told(`
    portOpened('accounts')
    told.push(withStartTiming('${theirs}'), withStartTiming('${theirs}'), withStartTiming(undefined) ?? null)`)
  expect(first).toMatch(START)
  expect(first!.endsWith(`, ${theirs}`)).toBe(true)
  expect(second).toBe(theirs)
  expect(third).toBeNull()
})
