import type { RouteRate } from '../host/rate/route-rate.ts'

/** Log-ins, registrations and what else hashes a password or sends a mail for somebody who is not signed in,
 * together. This holds a flood off within its first minute; throttle.ts slows those who guess, by the hour.
 */
export const signInRate: RouteRate = { policy: 'sign-in', per: 'address', quota: 'SIGN_IN_RATE' }
