import type { Delivery } from './manifests.ts'

/** How often and when delivery to a destination is tried. All times are in ms. */
export interface DeliveryPolicy {
  /** Attempts after the first one. */
  retries: number
  /** Pause before retry n = 1, 2, ... */
  backoffMs: (retry: number) => number
  /** An answer that takes longer is a failure. */
  timeoutMs: number
}

/** Defaults of eventing-rabbitmq's dispatcher. Without a `delivery` it makes one attempt. */
const RETRIES_WITH_DELIVERY = 5
const BACKOFF_DELAY_MS = 50
/** Time-out if none is stated. eventing-rabbitmq waits for ever, but a Knative Service gives up after 300 s,
 * so no answer comes later. */
const TIMEOUT_MS = 300_000

/** Returns the policy of a `delivery` of a manifest.
 * @throws Error that says what was expected, if a field can't be used */
export function deliveryPolicy(delivery: Delivery | undefined): DeliveryPolicy {
  if (!delivery) return { retries: 0, backoffMs: () => BACKOFF_DELAY_MS, timeoutMs: TIMEOUT_MS }
  const { retry = RETRIES_WITH_DELIVERY, backoffPolicy = 'exponential', backoffDelay, timeout } = delivery
  if (!Number.isInteger(retry) || retry < 0)
    throw new Error(`delivery.retry must be a whole number, 0 or more; it is ${JSON.stringify(retry)}`)
  if (backoffPolicy !== 'linear' && backoffPolicy !== 'exponential')
    throw new Error(
      `delivery.backoffPolicy must be linear or exponential; it is ${JSON.stringify(backoffPolicy)}`,
    )
  const delayMs = backoffDelay === undefined ? BACKOFF_DELAY_MS : durationMs(backoffDelay)
  return {
    retries: retry,
    backoffMs: (n) => delayMs * (backoffPolicy === 'linear' ? n : 2 ** n),
    // PT0S means "no time-out" in eventing-rabbitmq; here it is the longest time-out.
    timeoutMs: (timeout === undefined ? 0 : durationMs(timeout)) || TIMEOUT_MS,
  }
}

/** Returns whether delivery is tried again after this status: SelectiveRetry in pkg/kncloudevents of Knative
 * Eventing 1.22. */
export function isRetried(status: number): boolean {
  return status >= 500 || status === 404 || status === 408 || status === 409 || status === 429
}

const DURATION =
  /^P(?:(\d+(?:\.\d+)?)D)?(?:T(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?$/

/** Returns the milliseconds of an ISO 8601 duration of days, hours, minutes and seconds.
 * @throws Error if the text is no such duration */
export function durationMs(text: string): number {
  const parts = DURATION.exec(text)?.slice(1)
  if (!parts?.some(Boolean)) throw new Error(`expected an ISO 8601 duration such as PT0.2S, got "${text}"`)
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = parts.map((part) => Number(part ?? 0))
  return Math.round((((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000)
}
