import { alsoAnswer } from '../http/also-answer.ts'
import { clientAddress } from '../http/client-address.ts'
import { clientOf, isShared } from '../http/client-network.ts'
import type { Exchange } from '../http/exchange.ts'
import type { Caller } from '../route-request.ts'
import type { Tools } from '../tools.ts'
import { ClientCounts } from './client-counts.ts'
import { beyondQuota, leftOf, policyOf } from './rate-headers.ts'
import type { RouteRate } from './route-rate.ts'
import { createSharedCounts, type SharedCount } from './shared-counts.ts'

/** Counts a request; rejects with a ProblemError (429) if it is one too many. `caller` may be undefined if
 * addresses are counted. */
export type LimitRoute = (exchange: Exchange, caller: Caller | undefined) => Promise<void>

/** Milliseconds for which a process counts alone after the database has failed to count. It does not ask the
 * database meanwhile: each request would wait for seconds, and hold a connection that others need more. */
export const ALONE_MS = 5_000

/** Creates the limiter of a route. If the database does not answer, this process counts alone until it does:
 * then nobody is locked out, and nobody has more than the quota from each process. */
export function createRouteLimiter(
  { policy, per, quota: setting }: RouteRate,
  { db, config, log }: Pick<Tools, 'db' | 'config' | 'log'>,
): LimitRoute {
  const quota = config[setting]
  if (!quota) return () => Promise.resolve()
  const count = createSharedCounts(db, policy, quota)
  const alone = new ClientCounts(quota, { mayShare: () => false })
  let aloneUntil = 0
  const countedAlone = (key: string): SharedCount => ({
    left: alone.take(key)!,
    seconds: alone.secondsLeft,
  })
  const counted = (key: string): Promise<SharedCount> | SharedCount =>
    performance.now() < aloneUntil
      ? countedAlone(key)
      : count(key).catch((error: Error) => {
          log.warn('a quota is counted by this process alone', { policy, error: error.message })
          aloneUntil = performance.now() + ALONE_MS
          return countedAlone(key)
        })

  return async ({ request, response }, caller) => {
    const key = per === 'caller' ? caller?.userId : clientKey(clientAddress(request))
    if (key === undefined) return
    const { left, seconds } = await counted(key)
    alsoAnswer(response, {
      'ratelimit-policy': policyOf(policy, quota),
      ratelimit: leftOf(policy, left, seconds),
    })
    if (left < 0) throw beyondQuota(WHO[per], quota, seconds)
  }
}

const WHO = {
  address: 'Your address has asked for this too often',
  caller: 'You have asked for this too often',
} as const

/** Undefined for an address that many may share. */
const clientKey = (address: string): string | undefined => (isShared(address) ? undefined : clientOf(address))
