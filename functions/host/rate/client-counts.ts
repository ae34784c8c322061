import { clientOf, isShared } from '../http/client-network.ts'
import type { Quota } from '../setting-values.ts'

/** Clients, and addresses, that are known at the same time. */
const KNOWN_MAX = 50_000

interface Count {
  taken: number
}

/** Counts the requests of clients in this process, in windows that begin for all clients together: so nothing
 * has to be remembered of when each began, and no timer runs. Takes some 0.1 µs for each request.
 *
 * A client is an address; of IPv6 it is the subscriber's network. Addresses that many may share are not
 * counted. At most `knownMax` clients are known; one more, and all begin anew: who has so many addresses
 * can't be slowed by address, and must not fill the memory. */
export class ClientCounts {
  readonly #quota: Quota
  readonly #knownMax: number
  readonly #mayShare: (address: string) => boolean
  readonly #now: () => number
  #windowEndsAt: number
  readonly #clients = new Map<string, Count>()
  /** What is known of each address, so that most requests cost one look-up; null if it is shared. */
  readonly #addresses = new Map<string, Count | null>()

  /** `mayShare` says of which addresses nothing is counted; `now` gives milliseconds. */
  constructor(
    quota: Quota,
    { knownMax = KNOWN_MAX, mayShare = isShared, now = (): number => performance.now() } = {},
  ) {
    this.#quota = quota
    this.#mayShare = mayShare
    this.#knownMax = knownMax
    this.#now = now
    this.#windowEndsAt = now() + quota.seconds * 1000
  }

  /** Counts a request. Returns how many more may come in this window, negative if this one was too many;
   * undefined if the address is shared. */
  take(address: string): number | undefined {
    this.#renew()
    const known = this.#addresses.get(address)
    const count = known === undefined ? this.#enter(address) : known
    return count === null ? undefined : this.#quota.count - ++count.taken
  }

  /** Whole seconds until the window ends, at least one. */
  get secondsLeft(): number {
    return Math.max(1, Math.ceil((this.#windowEndsAt - this.#now()) / 1000))
  }

  #renew(): void {
    const now = this.#now()
    if (now < this.#windowEndsAt) return
    const windowMs = this.#quota.seconds * 1000
    this.#windowEndsAt += Math.ceil((now - this.#windowEndsAt + 1) / windowMs) * windowMs
    this.#clients.clear()
    this.#addresses.clear()
  }

  #enter(address: string): Count | null {
    if (this.#addresses.size >= this.#knownMax) this.#addresses.clear()
    const count = this.#mayShare(address) ? null : this.#countOf(clientOf(address))
    this.#addresses.set(address, count)
    return count
  }

  #countOf(client: string): Count {
    const known = this.#clients.get(client)
    if (known) return known
    if (this.#clients.size >= this.#knownMax) {
      this.#clients.clear()
      this.#addresses.clear()
    }
    const count = { taken: 0 }
    this.#clients.set(client, count)
    return count
  }
}
