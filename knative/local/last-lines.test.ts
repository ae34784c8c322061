import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lastLines } from './last-lines.ts'

let folder: string
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'microbank-last-'))))
afterEach(() => rmSync(folder, { recursive: true }))

const line = (second: number, level: string, message: string): string =>
  `${JSON.stringify({ time: new Date(second * 1000).toISOString(), level, message })}\n`
const write = (name: string, text: string): void => writeFileSync(join(folder, name), text)
const read = async (options: Parameters<typeof lastLines>[2]) => {
  const { lines, hasOlder } = await lastLines(folder, 'transfer', options)
  const said = lines.map(({ text }) => /"message":"([^"]*)/.exec(text)?.[1] ?? text)
  return { said, hasOlder }
}

test('the last lines are the newest of both files, the oldest first', async () => {
  write('transfer.log.1', line(1, 'info', 'one') + line(2, 'info', 'two'))
  write('transfer.log', line(3, 'warn', 'three') + '(node:7) Warning: old\n' + line(4, 'info', 'four'))
  expect(await read({ limit: 9 })).toEqual({
    said: ['one', 'two', 'three', '(node:7) Warning: old', 'four'],
    hasOlder: false,
  })
  expect(await read({ limit: 4 })).toMatchObject({ said: ['two', 'three', expect.any(String), 'four'] })
  expect(await read({ limit: 1 })).toEqual({ said: ['four'], hasOlder: true })
})

test('a level leaves out what is below, and a line that is no JSON is a warning of the time before it', async () => {
  write('transfer.log', line(3, 'info', 'three') + '(node:7) Warning: old\n' + line(4, 'error', 'four'))
  expect((await read({ level: 'warn', limit: 9 })).said).toEqual(['(node:7) Warning: old', 'four'])
  expect((await lastLines(folder, 'transfer', { limit: 2 })).lines[0]!.atMs).toBe(3000)
})

test('a function that has logged nothing has no lines', async () => {
  expect(await read({ limit: 9 })).toEqual({ said: [], hasOlder: false })
})

test('however large the log is, only its end is read, from the start of a line on', async () => {
  const many = Array.from({ length: 20_000 }, (_, n) => line(n, 'info', `line ${n}`)).join('')
  write('transfer.log', line(0, 'error', 'too far back') + many)
  const { said, hasOlder } = await read({ level: 'debug', limit: 100_000 })
  expect([said.length < 10_000, said.at(-1), hasOlder]).toEqual([true, 'line 19999', true])
  expect(said[0]).toMatch(/^line \d+$/)
  expect(await read({ level: 'error', limit: 9 })).toEqual({ said: [], hasOlder: true })
})
