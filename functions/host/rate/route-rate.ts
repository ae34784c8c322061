import type { ConfigName } from '../config.ts'

/** How often one client may call a route that is dear. All processes of the context count together, in its
 * database. */
export interface RouteRate {
  /** The name in the header RateLimit-Policy. Routes of one context that have the same are counted together.
   */
  policy: string
  /** Who is counted: the client's address (the operation must know it: `needs: ['FRONT_DOOR_KEY']`), or the
   * caller. */
  per: 'address' | 'caller'
  /** The setting of the context that says how often. */
  quota: Extract<ConfigName, `${string}_RATE`>
}
