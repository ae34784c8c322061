import { createLog, linesWritten } from './log.ts'

test('a line is one JSON object; its values are cut at a thousand characters, its lists at a hundred items', () => {
  const lines: string[] = []
  const log = createLog({ service: 'transfer' }, 'info', (line) => void lines.push(line)).with({
    trace_id: 'a',
  })
  log.warn('long\nlong', { error: 'x'.repeat(1001), events: Array.from({ length: 101 }, () => 'id') })

  const { time, error, events, ...fields } = JSON.parse(lines.join('')) as Record<string, string>
  expect(fields).toEqual({ level: 'warn', service: 'transfer', trace_id: 'a', message: 'long\nlong' })
  expect(Date.parse(time!)).not.toBeNaN()
  expect([error!.length, error!.at(-1), events!.length, events!.at(-1)]).toEqual([1001, '…', 101, '…'])
  expect(lines.join('').split('\n')).toHaveLength(2)
})

test('lines are counted by level, and those below the level are not written', () => {
  const before = { ...linesWritten }
  const log = createLog({ service: 'transfer' }, 'warn', () => {})
  for (const level of ['debug', 'info', 'warn', 'error', 'error'] as const) log[level]('something')
  expect(linesWritten).toEqual({ ...before, warn: before.warn + 1, error: before.error + 2 })
})

test('a field that is not among the names of log-fields.ts does not compile', () => {
  const log = createLog({ service: 'transfer' }, 'off')
  // @ts-expect-error: a person's data has no name there
  log.info('something', { email: 'ada@example.com' })
})
