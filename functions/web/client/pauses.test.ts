import { maySucceedLater, pauseAfter, readRetryAfter } from './pauses.ts'

const after = (value: string, more: Record<string, string> = {}) =>
  readRetryAfter(new Headers({ 'retry-after': value, ...more }))

test('pauses double up to five seconds, and half of each is chance', () => {
  const pauses = [1, 2, 3, 5, 6, 60].map((attempt) => [
    pauseAfter(attempt, {}, 0),
    pauseAfter(attempt, {}, 1),
  ])
  expect(pauses).toEqual([
    [100, 200],
    [200, 400],
    [400, 800],
    [1600, 3200],
    [2500, 5000],
    [2500, 5000],
  ])
})

test('Retry-After lengthens a pause and never shortens it', () => {
  const headers = (seconds: string) => new Headers({ 'retry-after': seconds })
  expect(pauseAfter(1, { headers: headers('7') }, 0)).toBe(7000)
  expect(pauseAfter(1, { headers: headers('0') }, 0)).toBe(100)
})

test('Retry-After may be seconds, or a date by the clock of the server', () => {
  expect(after('3')).toBe(3000)
  const date = 'Fri, 27 Nov 2026 10:00:00 GMT'
  expect(after('Fri, 27 Nov 2026 10:00:09 GMT', { date })).toBe(9000)
  expect(after('Fri, 27 Nov 2026 09:00:00 GMT', { date })).toBe(0)
  const soon = after(new Date(Date.now() + 60_000).toUTCString())
  expect(soon).toBeGreaterThan(30_000)
  expect(soon).toBeLessThanOrEqual(60_000)
  expect(readRetryAfter(new Headers())).toBe(0)
  for (const neither of ['soon', '', '-1', '1e9', '1.5', '3 seconds', '2099-01-01', 'by 2099'])
    expect([neither, after(neither, { date })]).toEqual([neither, 0])
})

test('only what passes by itself is worth another attempt', () => {
  expect(maySucceedLater({})).toBe(true)
  for (const status of [429, 502, 503, 504])
    expect([status, maySucceedLater({ status })]).toEqual([status, true])
  for (const status of [301, 400, 401, 403, 404, 409, 422, 500])
    expect([status, maySucceedLater({ status })]).toEqual([status, false])
  expect(maySucceedLater({ status: 409, code: 'idempotency-key-in-use' })).toBe(true)
  expect(maySucceedLater({ status: 503, code: 'ledger-stopped' })).toBe(false)
})
