import { getEventListeners } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import { until } from '../../../tests/support/until.ts'
import { createClient } from '../../../functions/web/client/index.ts'
import { runTraffic } from './traffic.ts'

/** Agrees to everything, so that only the generator itself is tested. Like a real answer, it lets timers run:
 * a machine that falls behind the rate would otherwise never look at them. */
const agreeable: typeof fetch = async (address, { method } = {}) => {
  await setImmediate()
  return method === 'GET'
    ? Response.json({ items: [{ balance: '0.00' }], next_cursor: null })
    : Response.json({ id: address, access_token: 'a', refresh_token: 'r' }, { status: 201 })
}

test('a worker that waits for its turn listens for Ctrl-C once, however many turns it had', async () => {
  const stop = new AbortController()
  const warnings: Error[] = []
  const onWarning = (warning: Error) => void warnings.push(warning)
  process.on('warning', onWarning)
  let transactions = 0
  const traffic = runTraffic(() => createClient({ url: 'http://bank', fetch: agreeable }), {
    ...{ count: Infinity, rate: 1000, users: 1, concurrency: 12, signal: stop.signal },
    onProgress: () => void transactions++,
  })
  await until(() => transactions > 60)
  expect(getEventListeners(stop.signal, 'abort').length).toBeLessThanOrEqual(12)
  stop.abort()
  await traffic
  process.off('warning', onWarning)
  expect(warnings).toEqual([])
})
