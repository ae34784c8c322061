/** One limiter of the library, without those for other stores. */
declare module 'rate-limiter-flexible/lib/RateLimiterPostgres.js' {
  import type { RateLimiterPostgres } from 'rate-limiter-flexible'
  const limiter: typeof RateLimiterPostgres
  export default limiter
}
