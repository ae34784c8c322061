import { errorOf } from './failure.ts'

const event = { type: 'a.happened', id: 'any+text é' }
const said = (detail: string) => errorOf(JSON.stringify({ detail }), event)

test.each([
  ['its own id, whatever that is', 'a.happened any+text é is not signed.', 'a.happened … is not signed.'],
  ['ids', 'No user 01936f0d-41d2-7b1a-a1a4-2f0f6a1c9b55.', 'No user ….'],
  ['words with digits', 'Key xY3k_9-Qz and a1b2c3 (0.5 of 12,000.00).', 'Key … and … (… of …).'],
  ['addresses', 'connect ECONNREFUSED 10.0.0.1:5432', 'connect ECONNREFUSED …'],
  ['mail', 'No mail to anna.b@example.org today', 'No mail to … today'],
  ['long words', `No ${'x'.repeat(41)}!`, 'No …!'],
  ['space', ' a\n\t b ', 'a b'],
])('an error of a group is without %s', (_what, detail, error) => {
  expect(said(detail)).toBe(error)
})

test('an error is short, however long the answer is', () => {
  expect(said('no way, '.repeat(200_000))).toHaveLength(200)
  expect(errorOf('x'.repeat(2_000_000), event)).toBe('…')
})
