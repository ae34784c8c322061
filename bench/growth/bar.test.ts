import { barLine, createBar } from './bar.ts'

const state = { unit: 'entries', total: 10_000_000, done: 2_100_000, perSecond: 48_000 }

test('the bar shows what is done, the rate and the time left', () => {
  expect(barLine(state)).toBe(
    '[#####-------------------]  21 %  2,100,000 of 10,000,000 entries, 48,000/s, 2:45 left',
  )
})

test('the bar is full if more was done than was wanted', () => {
  expect(barLine({ ...state, done: 10_001_000 })).toBe(
    '[########################] 100 %  10,001,000 of 10,000,000 entries, 48,000/s, 0:00 left',
  )
})

test('the bar shows no time left before the first entry is done', () => {
  expect(barLine({ ...state, done: 0, perSecond: 0 })).toMatch(/ 0 of 10,000,000 entries, 0\/s$/)
})

test('without a terminal not every step becomes a line', () => {
  const said: string[] = []
  const progress = { step: (line: string) => void said.push(line), say: () => {} }
  const clock = jest.spyOn(performance, 'now').mockReturnValue(1_000)
  const bar = createBar(progress, { unit: 'entries', total: 100, isTerminal: false })
  for (let done = 0; done <= 50; done++) bar.at(done)
  expect(said).toEqual([])
  clock.mockReturnValue(16_000)
  for (let done = 51; done <= 100; done++) bar.at(done)
  clock.mockRestore()
  expect(said).toEqual([expect.stringContaining('51 of 100 entries')])
})
