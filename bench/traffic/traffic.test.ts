import { getEventListeners } from 'node:events'
import { until } from '../../tests/support/until.ts'
import type { BankClient } from '../../functions/web/client.ts'
import { runTraffic } from './traffic.ts'

/** Agrees to everything, so that only the generator itself is tested. */
const agreeable: BankClient = async (path, { body } = {}) =>
  path === '/api/accounts' && !body
    ? { status: 200, body: { items: [{ balance: '0.00' }] } }
    : { status: 201, body: { id: path, access_token: path } }

test('a worker that waits for its turn listens for Ctrl-C once, however many turns it had', async () => {
  const stop = new AbortController()
  const warnings: Error[] = []
  const onWarning = (warning: Error) => void warnings.push(warning)
  process.on('warning', onWarning)
  let transactions = 0
  const traffic = runTraffic(agreeable, {
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
