import type { Quota } from '../setting-values.ts'
import { ProblemError, problems } from '../problems.ts'

/** The header RateLimit-Policy of a quota, and RateLimit of what is left of it
 * (draft-ietf-httpapi-ratelimit-headers-10). */
export interface RateHeaders {
  'ratelimit-policy': string
  ratelimit: string
}

/** Returns the value of RateLimit-Policy: `"requests";q=6000;w=60`. */
export const policyOf = (name: string, { count, seconds }: Quota): string =>
  `"${name}";q=${count};w=${seconds}`

/** Returns the value of RateLimit: `"requests";r=12;t=7` if 12 are left for the next 7 seconds. */
export const leftOf = (name: string, left: number, seconds: number): string =>
  `"${name}";r=${left > 0 ? left : 0};t=${seconds}`

/** Returns the refusal (429) of a request beyond a quota. `seconds` is the time to wait. */
export const beyondQuota = (what: string, { count, seconds: each }: Quota, seconds: number): ProblemError =>
  new ProblemError(
    problems.tooManyRequests,
    `${what}: ${count} in ${each} seconds are allowed. Wait ${seconds} seconds.`,
    { headers: { 'retry-after': String(seconds) } },
  )
