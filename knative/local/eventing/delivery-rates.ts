import type { BrokerMetrics } from '../../../eventing/broker/metrics.ts'

/** Attempts to deliver are counted by this many milliseconds. */
const SLOT_MS = 10_000
/** Five minutes. */
const SLOTS = 30

/** How many attempts a Trigger has made in each of the last periods, the oldest first. */
export interface DeliveryRate {
  delivered: number[]
  failed: number[]
}

/** Counts the deliveries of the last minutes by Trigger. There is no timer: a bank without events does
 * nothing. */
export class DeliveryRates {
  readonly slotSeconds = SLOT_MS / 1000
  readonly #now: () => number
  readonly #counts = new Map<string, Map<number, { delivered: number; failed: number }>>()

  constructor(now: () => number = Date.now) {
    this.#now = now
  }

  /** Returns the same metrics, which are counted here too. */
  watch(metrics: BrokerMetrics): BrokerMetrics {
    return {
      ...metrics,
      delivered: (route, status, seconds) => {
        this.#count(route, status)
        metrics.delivered(route, status, seconds)
      },
    }
  }

  /** The last period is the one under way. */
  of(trigger: string): DeliveryRate {
    const slots = this.#counts.get(trigger)
    const last = this.#slot()
    const counted = Array.from({ length: SLOTS }, (_, n) => slots?.get(last - SLOTS + 1 + n))
    return {
      delivered: counted.map((slot) => slot?.delivered ?? 0),
      failed: counted.map((slot) => slot?.failed ?? 0),
    }
  }

  #count(route: string, status: number): void {
    const now = this.#slot()
    const slots = this.#counts.get(route) ?? new Map<number, { delivered: number; failed: number }>()
    this.#counts.set(route, slots)
    const slot = slots.get(now) ?? { delivered: 0, failed: 0 }
    if (!slots.has(now)) {
      slots.set(now, slot)
      for (const old of slots.keys()) if (old <= now - SLOTS) slots.delete(old)
    }
    if (status >= 200 && status < 300) slot.delivered++
    else slot.failed++
  }

  #slot(): number {
    return Math.floor(this.#now() / SLOT_MS)
  }
}
