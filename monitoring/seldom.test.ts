import { seldom } from './seldom.ts'

test('a line that is said often is written at once, then seldom, with how many were left out', () => {
  const clock = jest.spyOn(performance, 'now').mockReturnValue(1_000)
  const written: [string, object][] = []
  const say = seldom((message, fields) => written.push([message, fields]), 200)
  say('no', { reason: 'first' })
  for (let n = 0; n < 9; n++) say('no', { reason: 'again' })
  clock.mockReturnValue(1_199)
  say('no', { reason: 'again' })
  expect(written).toEqual([['no', { reason: 'first' }]])
  clock.mockReturnValue(1_200)
  say('no', { reason: 'later' })
  clock.mockRestore()
  expect(written.slice(1)).toEqual([['no', { reason: 'later', left_out: 10 }]])
})
