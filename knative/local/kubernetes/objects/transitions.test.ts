import { createTransitions } from './transitions.ts'

const START = new Date('2026-01-01T00:00:00Z')
const minute = (n: number) => new Date(START.getTime() + n * 60_000)

test('a condition keeps its time while its status stays, and gets a new one when the status changes', () => {
  let now = minute(1)
  const since = createTransitions(START, () => now)
  const at = (status: 'True' | 'False', reason = '') => since('uid', [{ type: 'Ready', status, reason }])[0]
  expect(at('True')).toEqual({
    type: 'Ready',
    status: 'True',
    reason: '',
    lastTransitionTime: '2026-01-01T00:00:00Z',
  })
  now = minute(2)
  expect(at('True', 'another')?.lastTransitionTime).toBe('2026-01-01T00:00:00Z')
  expect(at('False')?.lastTransitionTime).toBe('2026-01-01T00:02:00Z')
  now = minute(3)
  expect(at('False')?.lastTransitionTime).toBe('2026-01-01T00:02:00Z')
})

test('one object does not change the times of another', () => {
  const since = createTransitions(START, () => minute(5))
  since('one', [{ type: 'Ready', status: 'True' }])
  since('two', [{ type: 'Ready', status: 'False' }])
  expect(since('one', [{ type: 'Ready', status: 'True' }])[0]?.lastTransitionTime).toBe(
    '2026-01-01T00:00:00Z',
  )
})
