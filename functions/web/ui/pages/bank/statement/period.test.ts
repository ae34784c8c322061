import { askedOf, dayAfter, hasEnded, readStatement, usualPeriods } from './period.ts'

const now = new Date('2028-03-01T00:30:00Z')

test('the usual periods are whole months and years, also around a leap day', () => {
  expect(usualPeriods(now)).toEqual({
    thisMonth: { from: '2028-03-01', to: '2028-03-01' },
    lastMonth: { from: '2028-02-01', to: '2028-02-29' },
    lastYear: { from: '2027-01-01', to: '2027-12-31' },
  })
  expect(usualPeriods(new Date('2028-01-05T12:00:00Z')).lastMonth).toEqual({
    from: '2027-12-01',
    to: '2027-12-31',
  })
})

test('an address says what to show; nonsense is this month', () => {
  const given = readStatement(new URLSearchParams('from=2028-02-10&to=2028-02-29&basis=value'), now)
  expect(given).toEqual({ from: '2028-02-10', to: '2028-02-29', basis: 'value' })
  expect(readStatement(new URLSearchParams('from=2027-02-29&to=x&basis=y'), now)).toEqual({
    from: '2028-03-01',
    to: '2028-03-01',
    basis: 'booking',
  })
})

test('the last day belongs to the period, and only a period that is over can be filed', () => {
  const asked = { from: '2028-02-01', to: '2028-02-29', basis: 'booking' } as const
  expect(askedOf(asked, now)).toEqual({ ...asked, to: '2028-03-01' })
  expect(dayAfter('2027-12-31')).toBe('2028-01-01')
  const running = { ...asked, to: '2028-03-01' }
  expect(askedOf(running, now)).toEqual({ from: '2028-02-01', basis: 'booking' })
  expect(askedOf({ ...running, basis: 'value' }, now)).toMatchObject({ to: '2028-03-02' })
  expect([hasEnded(asked, now), hasEnded({ ...asked, to: '2028-03-01' }, now)]).toEqual([true, false])
})
