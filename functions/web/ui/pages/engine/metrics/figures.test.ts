import { figure, named } from './figures.ts'

test.each([
  ['s', 0, '0 s'],
  ['s', 0.0123, '12.3 ms'],
  ['s', 1.5, '1.5 s'],
  ['s', 90, '1.5 min'],
  ['s', 7200, '2 h'],
  ['s', 129_600, '1.5 d'],
  ['s', -129_600, '-1.5 d'],
  ['bytes', 999, '999 B'],
  ['bytes', 123_456_789, '123 MB'],
  ['percentunit', 0.1234, '12.3 %'],
  ['percent', 99.5, '99.5 %'],
  ['reqps', 0.25, '0.25/s'],
  ['ms', 4, '4 ms'],
  ['short', 1_234_567, '1,234,567'],
  ['short', 0, '0'],
])('of %s, %d is %s', (unit, value, text) => {
  expect(figure('en', unit, value)).toBe(text)
})

test('figures are written as the reader’s language does', () => {
  expect(figure('de', 's', 1.5)).toBe('1,5 s')
  expect(figure('de', 'short', 1_234_567)).toBe('1.234.567')
})

test('a series is called by its labels; a label that it lacks is nothing', () => {
  expect(named('{{service}} to {{target}}: {{x}}', { service: 'a', target: 'b' }, 'none')).toBe('a to b: ')
  expect(named('{{service}} to {{target}}', {}, 'keine')).toBe('keine')
  expect(named('half', {}, 'none')).toBe('half')
})
