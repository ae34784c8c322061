import fc from 'fast-check'
import { createAjv } from './compile-validators.ts'

const isMoment = createAjv('body').compile({ type: 'string', format: 'date-time' })

test.each([
  '2026-11-26T16:03:53Z',
  '2026-11-26T16:03:53.123456Z',
  '2026-11-26t16:03:53z',
  '2026-11-26 16:03:53+01:00',
  '2024-02-29T00:00:00-23:59',
  '2000-02-29T00:00:00Z',
  '0001-01-01T00:00:00Z',
])('%s is a moment', (text) => expect(isMoment(text)).toBe(true))

test.each([
  '2026-02-29T00:00:00Z',
  '1900-02-29T00:00:00Z',
  '2026-04-31T00:00:00Z',
  '2026-13-01T00:00:00Z',
  '2026-00-10T00:00:00Z',
  '2026-01-00T00:00:00Z',
  '2026-01-01T24:00:00Z',
  '2026-01-01T23:60:00Z',
  '2026-01-01T23:59:60Z',
  '2026-01-01T00:00:00',
  '2026-01-01T00:00:00+24:00',
  '2026-01-01',
  '12026-01-01T00:00:00Z',
  ' 2026-01-01T00:00:00Z',
  '2026-01-01T00:00:00Z\n',
  '２026-01-01T00:00:00Z',
])('%j is none', (text) => expect(isMoment(text)).toBe(false))

test('a day is one exactly if the calendar has it', () => {
  const part = (min: number, max: number, digits: number) =>
    fc.integer({ min, max }).map((number) => String(number).padStart(digits, '0'))
  fc.assert(
    fc.property(part(1, 9999, 4), part(0, 13, 2), part(0, 32, 2), (year, month, day) => {
      const text = `${year}-${month}-${day}T12:00:00.000Z`
      const date = new Date(text)
      const exists = !Number.isNaN(date.getTime()) && date.toISOString() === text
      expect([text, isMoment(text)]).toEqual([text, exists])
    }),
    { numRuns: 2000 },
  )
})
