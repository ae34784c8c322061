import { alsoAnswer } from '../host/http/also-answer.ts'
import { clientAddress } from '../host/http/client-address.ts'
import type { Exchange } from '../host/http/exchange.ts'
import { ClientCounts } from '../host/rate/client-counts.ts'
import { beyondQuota, leftOf, policyOf } from '../host/rate/rate-headers.ts'
import type { Config } from '../host/config.ts'
import type { Reply } from '../host/reply.ts'
import type { Quota } from '../host/setting-values.ts'
import type { Cors } from './cors.ts'
import { securityHeaders } from './security-headers.ts'

/** What providers send is counted apart: many come from few addresses, above all after they could not reach
 * the bank. To refuse them would delay other people's money. */
const HOOK = /^\/api\/providers\/[^/?]+\/hooks(\?|$)/

/** Creates what each request meets first. It gives the answer, whoever writes it, the headers that all
 * answers of the front door have. Returns the refusal (429) for a client that has sent too many. */
export function createReception(
  { REQUEST_RATE, HOOK_RATE }: Pick<Config, 'REQUEST_RATE' | 'HOOK_RATE'>,
  cors: Cors,
): (exchange: Exchange) => Reply | undefined {
  const requests = meterOf('requests', REQUEST_RATE)
  const hooks = meterOf('hooks', HOOK_RATE)
  return ({ request, response, traceparent }) => {
    const { 'x-forwarded-proto': proto, origin } = request.headers
    // A client that lies about how it came is the only one who sees it.
    const always = securityHeaders[proto === 'https' ? 'https' : 'http']
    const meter = request.method === 'POST' && HOOK.test(request.url!) ? hooks : requests
    const left = meter?.counts.take(clientAddress(request))
    if (meter === undefined || left === undefined) alsoAnswer(response, always, { traceparent })
    else {
      const ratelimit = leftOf(meter.name, left, meter.counts.secondsLeft)
      alsoAnswer(response, always, { traceparent, 'ratelimit-policy': meter.policy, ratelimit })
    }
    const forPages = cors.headers(origin)
    if (forPages) alsoAnswer(response, forPages)
    if (meter === undefined || left === undefined || left >= 0) return undefined
    return beyondQuota('Your address has sent too many requests', meter.quota, meter.counts.secondsLeft).reply
  }
}

/** Returns the counts of a quota, and its name in the header RateLimit-Policy; undefined if it is off. */
const meterOf = (name: string, quota: Quota | undefined) =>
  quota && { name, quota, counts: new ClientCounts(quota), policy: policyOf(name, quota) }
