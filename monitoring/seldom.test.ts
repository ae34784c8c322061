import { until } from '../tests/support/until.ts'
import { seldom } from './seldom.ts'

test('a line that is said often is written at once, then seldom, with how many were left out', async () => {
  const written: [string, object][] = []
  const say = seldom((message, fields) => written.push([message, fields]), 200)
  say('no', { reason: 'first' })
  for (let n = 0; n < 9; n++) say('no', { reason: 'again' })
  expect(written).toEqual([['no', { reason: 'first' }]])
  let more = 0
  await until(() => {
    say('no', { reason: 'later' })
    more++
    return written.length > 1
  })
  expect(written[1]).toEqual(['no', { reason: 'later', left_out: 9 + more - 1 }])
})
