import { smoke } from '../../knative/cluster/smoke.ts'
import { createClient } from '../../functions/web/client/index.ts'
import type { OneBank } from './one-bank.ts'

/** What tests a bank on a cluster, here on this one. */

export function smokeTest(one: () => OneBank): void {
  const url = () => one().bank.url
  const steps: string[] = []
  const options = { timeoutMs: 120_000, log: (step: string) => void steps.push(step) }

  test('a bank that works passes, as often as it is tested', async () => {
    await smoke(createClient({ url: url() }), options)
    await smoke(createClient({ url: url() }), options)
    expect(steps.filter((step) => step === 'the bank works')).toHaveLength(2)
  })

  test('a bank that sends no notifications fails', async () => {
    const silent: typeof fetch = async (address, request) =>
      String(address).endsWith('/api/notifications')
        ? Response.json({ items: [], next_cursor: null })
        : fetch(address, request)
    await expect(
      smoke(createClient({ url: url(), fetch: silent }), { ...options, timeoutMs: 100 }),
    ).rejects.toThrow('expected two notifications within 100 ms')
  })

  test('a refusal fails with what the bank said', async () => {
    // The client doesn't wait that long.
    const answer = { status: 503, headers: { 'retry-after': '600' } }
    const closed: typeof fetch = async () => Response.json({ detail: 'the database did not answer' }, answer)
    await expect(smoke(createClient({ url: url(), fetch: closed }), options)).rejects.toThrow(
      'the bank answered 503: the database did not answer',
    )
  })
}
