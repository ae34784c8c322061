import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLogs } from './log-files.ts'
import { logQuery } from './log-lines.ts'

let folder: string
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'microbank-logs-'))))
afterEach(() => rmSync(folder, { recursive: true }))

const at = (second: number): string => new Date(Date.UTC(2030, 0, 1, 0, 0, second)).toISOString()
const line = (second: number, level: string, message: string, trace_id = 'none'): string =>
  `${JSON.stringify({ time: at(second), level, message, trace_id })}\n`
const none = { trace: undefined, level: undefined, since: undefined, grep: undefined }

function shown(given: Partial<typeof none> | Record<string, string>, service?: string): string[] {
  const lines = openLogs(folder, service, logQuery({ ...none, ...given }))(true)
  return lines.map(({ text }) => /"message":"([^"]*)/.exec(text)?.[1] ?? text)
}

function writeLogs(): void {
  writeFileSync(join(folder, 'transfer.log.1'), line(1, 'info', 'oldest', 'a'))
  writeFileSync(join(folder, 'transfer.log'), line(3, 'warn', 'third', 'a') + '{"time":"2030-01-')
  writeFileSync(join(folder, 'notify.log'), line(2, 'error', 'second', 'b') + '(node:7) Warning: old\n')
}

test('lines of all functions, older files too, come in the order of their times', () => {
  writeLogs()
  expect(shown({})).toEqual(['oldest', 'second', '(node:7) Warning: old', 'third', '{"time":"2030-01-'])
  expect(shown({}, 'notify')).toEqual(['second', '(node:7) Warning: old'])
})

test('a query is by trace, level, text and period; a line that is no JSON counts as a warning', () => {
  writeLogs()
  expect(shown({ trace: 'a' })).toEqual(['oldest', 'third'])
  expect(shown({ level: 'error' })).toEqual(['second'])
  expect(shown({ level: 'warn' }, 'notify')).toEqual(['second', '(node:7) Warning: old'])
  expect(shown({ grep: 'OLD' })).toEqual(['oldest', '(node:7) Warning: old'])
  writeFileSync(join(folder, 'transfer.log'), line(3, 'info', 'now').replace('2030', '2020'))
  expect(shown({ since: '15m' }, 'transfer')).toEqual(['oldest'])
})

test('what can’t be looked for gets a clear error', () => {
  expect(() => openLogs(folder, undefined, none)).toThrow('has no logs: no function has run yet')
  writeLogs()
  expect(() => openLogs(folder, 'transfr', none)).toThrow(
    'transfr has logged nothing. These have: notify, transfer',
  )
  expect(() => logQuery({ ...none, level: 'loud' })).toThrow(
    'expected one of the levels debug, info, warn, error, got loud',
  )
  expect(() => logQuery({ ...none, since: '15' })).toThrow(
    'expected a period like 90s, 15m, 2h or 1d, got 15',
  )
})

test('following, each line comes once, when it has its end, also over the start of a new file', () => {
  const path = join(folder, 'transfer.log')
  writeFileSync(path, `${line(1, 'info', 'one')}{"cut`)
  const read = openLogs(folder, undefined, none)
  const texts = (): string[] => read(false).map(({ text }) => text)
  expect(texts()).toHaveLength(1)
  expect(texts()).toEqual([])
  appendFileSync(path, ' short\nlast of the old\n')
  renameSync(path, `${path}.1`)
  writeFileSync(path, 'first of the new\n')
  expect(texts()).toEqual(['{"cut short', 'last of the old', 'first of the new'])
  expect(texts()).toEqual([])
})
