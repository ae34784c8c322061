import { operations } from '../../tests/support/repository.ts'
import { refusalsOf } from './refusals.ts'

test('a function may answer with its own problems, those of the host, and refuse an event', async () => {
  const refusals = refusalsOf(await operations())
  expect(refusals.transfer).toEqual(
    expect.arrayContaining([
      'insufficient-funds',
      'unauthenticated',
      'idempotency-key-in-use',
      'event-refused',
    ]),
  )
  expect(refusals.accounts).toContain('too-many-requests')
  expect(refusals.accounts).not.toContain('insufficient-funds')
  // The front door calls no function for what it answers by itself.
  expect(refusals['front-door']).not.toContain('upstream-timeout')
  const series = Object.values(refusals).flat()
  expect(series.length).toBeLessThan(4_000)
})
