import { dropRenewal, renewSession } from './session-renewal.ts'

/** Renewals that get no answer. */

let asked: number
beforeEach(() => {
  asked = 0
  jest.useFakeTimers()
  Object.defineProperty(globalThis, 'navigator', { value: {}, configurable: true })
  jest.spyOn(globalThis, 'fetch').mockImplementation((_to, { signal } = {}) => {
    asked++
    return new Promise((_resolve, reject) => {
      signal?.addEventListener('abort', () => reject(new Error('given up')))
    })
  })
})
afterEach(() => {
  dropRenewal()
  jest.restoreAllMocks()
  jest.useRealTimers()
})

/** Renews, and returns what tells how that ended. */
function renew(): { outcome: string } {
  const told = { outcome: 'none' }
  renewSession().then(
    () => (told.outcome = 'renewed'),
    ({ message }: Error) => (told.outcome = message),
  )
  return told
}

test('one is given up after a minute, so that the next can be tried', async () => {
  const first = renew()
  await jest.advanceTimersByTimeAsync(59_000)
  renew()
  expect([asked, first.outcome]).toEqual([1, 'none'])
  await jest.advanceTimersByTimeAsync(2_000)
  expect(first.outcome).toBe('given up')
  renew()
  await jest.advanceTimersByTimeAsync(0)
  expect(asked).toBe(2)
})

test('one that is dropped ends at once', async () => {
  const first = renew()
  dropRenewal()
  await jest.advanceTimersByTimeAsync(0)
  expect(first.outcome).toBe('given up')
})
