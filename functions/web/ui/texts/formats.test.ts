import { formatDate, formatMoment, formatSeconds, formatTime } from './formats.ts'
import { showZone } from './zone.ts'

afterEach(() => showZone('local'))

test('in UTC a time says so, and is that of UTC', () => {
  showZone('utc')
  const at = new Date('2026-11-27T23:59:07Z')
  expect(formatMoment('en', at)).toMatch(/^27 Nov 2026, 23:59\u00a0UTC$/)
  expect(formatMoment('de', at)).toMatch(/^27\.11\.2026, 23:59\u00a0UTC$/)
  expect([formatDate('de', at), formatTime('en', at), formatSeconds('en', at)]).toEqual([
    '27.11.2026',
    '23:59\u00a0UTC',
    '23:59:07\u00a0UTC',
  ])
})

test('on the reader’s clocks no zone is named, also after the switch was used', () => {
  const at = new Date(2026, 10, 27, 23, 59)
  const before = formatMoment('en', at)
  showZone('utc')
  formatMoment('en', at)
  showZone('local')
  expect([before, formatMoment('en', at)]).toEqual(Array(2).fill('27 Nov 2026, 23:59'))
})
