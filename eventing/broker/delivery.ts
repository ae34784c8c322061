import type { Delivery } from './manifests.ts'

/** How a destination is tried. Times are milliseconds. */
export interface DeliveryPolicy {
  /** Attempts after the first one. */
  retries: number
  /** Pause before retry n = 1, 2, ... */
  backoffMs: (retry: number) => number
  /** An answer that takes longer counts as a failure. */
  timeoutMs: number
}

/** Defaults of eventing-rabbitmq's dispatcher; without a `delivery` it tries just once. */
const RETRIES_WITH_DELIVERY = 5
const BACKOFF_DELAY_MS = 50
/** The original waits for ever by default; a Knative Service gives up after 300 s, so no answer comes
 * later. */
const TIMEOUT_MS = 300_000

/** @throws Error that says what was expected where a field can't be used */
export function deliveryPolicy(delivery: Delivery | undefined): DeliveryPolicy {
  if (!delivery) return { retries: 0, backoffMs: () => BACKOFF_DELAY_MS, timeoutMs: TIMEOUT_MS }
  const { retry = RETRIES_WITH_DELIVERY, backoffPolicy = 'exponential', backoffDelay, timeout } = delivery
  if (!Number.isInteger(retry) || retry < 0)
    throw new Error(`delivery.retry must be a whole number from 0, it is ${JSON.stringify(retry)}`)
  if (backoffPolicy !== 'linear' && backoffPolicy !== 'exponential')
    throw new Error(
      `delivery.backoffPolicy must be linear or exponential, it is ${JSON.stringify(backoffPolicy)}`,
    )
  const delayMs = backoffDelay === undefined ? BACKOFF_DELAY_MS : durationMs(backoffDelay)
  return {
    retries: retry,
    backoffMs: (n) => delayMs * (backoffPolicy === 'linear' ? n : 2 ** n),
    // PT0S is the original's word for "no time-out", which is our longest.
    timeoutMs: (timeout === undefined ? 0 : durationMs(timeout)) || TIMEOUT_MS,
  }
}

/** Statuses that are tried again: Knative Eventing 1.22, pkg/kncloudevents SelectiveRetry. */
export function isRetried(status: number): boolean {
  return status >= 500 || status === 404 || status === 408 || status === 409 || status === 429
}

const DURATION =
  /^P(?:(\d+(?:\.\d+)?)D)?(?:T(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?$/

/** Milliseconds of an ISO 8601 duration of days, hours, minutes and seconds. @throws Error if it is none */
export function durationMs(text: string): number {
  const parts = DURATION.exec(text)?.slice(1)
  if (!parts?.some(Boolean)) throw new Error(`expected an ISO 8601 duration such as PT0.2S, got "${text}"`)
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = parts.map((part) => Number(part ?? 0))
  return Math.round((((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000)
}
