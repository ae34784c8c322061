import { alsoAnswer } from '../host/http/also-answer.ts'
import { clientAddress } from '../host/http/client-address.ts'
import type { Exchange } from '../host/http/exchange.ts'
import { ClientCounts } from '../host/rate/client-counts.ts'
import { beyondQuota, leftOf, policyOf } from '../host/rate/rate-headers.ts'
import type { Config } from '../host/config.ts'
import type { Reply } from '../host/reply.ts'
import type { Cors } from './cors.ts'
import { securityHeaders } from './security-headers.ts'

/** The policy of all requests, in the header RateLimit-Policy. */
const POLICY = 'requests'

/** Creates what each request meets first. It gives the answer, whoever writes it, the headers that all
 * answers of the front door have. Returns the refusal (429) for a client that has sent too many. */
export function createReception(
  { REQUEST_RATE: quota }: Pick<Config, 'REQUEST_RATE'>,
  cors: Cors,
): (exchange: Exchange) => Reply | undefined {
  const counts = quota && new ClientCounts(quota)
  const policy = quota && policyOf(POLICY, quota)
  return ({ request, response, traceparent }) => {
    const { 'x-forwarded-proto': proto, origin } = request.headers
    // A client that lies about how it came is the only one who sees it.
    const always = securityHeaders[proto === 'https' ? 'https' : 'http']
    const left = counts?.take(clientAddress(request))
    if (counts === undefined || left === undefined) alsoAnswer(response, always, { traceparent })
    else {
      const ratelimit = leftOf(POLICY, left, counts.secondsLeft)
      alsoAnswer(response, always, { traceparent, 'ratelimit-policy': policy!, ratelimit })
    }
    const forPages = cors.headers(origin)
    if (forPages) alsoAnswer(response, forPages)
    if (counts === undefined || left === undefined || left >= 0) return undefined
    return beyondQuota('Your address has sent too many requests', quota!, counts.secondsLeft).reply
  }
}
