import fc from 'fast-check'
import { boundsOf, byDay, isDay, toDay } from '../../parts/days.ts'
import { showZone } from '../../texts/zone.ts'
import { askedOf, entryTypes, hasFilters, readFilters, withFilters } from './filters.ts'

const day = fc
  .date({ min: new Date('1990-01-02'), max: new Date('2100-01-01'), noInvalidDate: true })
  .map(toDay)

test('filters go through the address and come back', () => {
  const filters = fc.record({
    type: fc.constantFrom('' as const, ...entryTypes),
    from: fc.oneof(fc.constant(''), day),
    to: fc.oneof(fc.constant(''), day),
    query: fc.string({ maxLength: 200 }).map((text) => text.trim()),
  })
  fc.assert(
    fc.property(filters, (given) => {
      const search = withFilters(new URLSearchParams('on=2026-01-01&type=other'), given)
      expect(search.get('on')).toBe('2026-01-01')
      expect(readFilters(new URLSearchParams(search.toString()))).toEqual(given)
    }),
  )
})

test('an address with nonsense filters nothing', () => {
  const read = readFilters(new URLSearchParams('type=cash&from=2026-02-30&to=yesterday&query=%20'))
  expect([read, hasFilters(read), askedOf(read)]).toEqual([
    { type: '', from: '', to: '', query: '' },
    false,
    {},
  ])
  expect(askedOf({ ...read, query: '?!' })).toEqual({})
})

afterEach(() => showZone('local'))

test.each(['local', 'utc'] as const)(
  'both days of a period belong to it, also when clocks change: %s',
  (zone) => {
    showZone(zone)
    fc.assert(
      fc.property(day, (given) => {
        const { begin, end } = boundsOf(given)
        expect([toDay(begin), toDay(new Date(end.getTime() - 1)), isDay(given)]).toEqual([given, given, true])
        const asked = askedOf({ type: '', from: given, to: given, query: '' })
        expect(asked).toEqual({ from: begin.toISOString(), to: end.toISOString() })
      }),
    )
  },
)

test('entries of one day stand together, in their order', () => {
  const at = (text: string) => ({ at: new Date(`${text}:00`).toISOString() })
  const items = [at('2026-03-02T00:10'), at('2026-03-01T23:50'), at('2026-03-01T00:00')]
  expect(byDay(items, (item) => item.at)).toEqual([
    { day: '2026-03-02', items: [items[0]] },
    { day: '2026-03-01', items: [items[1], items[2]] },
  ])
})

test('a day of UTC begins at its midnight, whatever the clock here says', () => {
  showZone('utc')
  expect(boundsOf('2026-03-29')).toEqual({
    begin: new Date('2026-03-29T00:00:00Z'),
    end: new Date('2026-03-30T00:00:00Z'),
  })
  expect(toDay(new Date('2026-03-29T23:59:59.999Z'))).toBe('2026-03-29')
})
