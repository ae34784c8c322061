/**
 * How a Service scales: the annotations `autoscaling.knative.dev/...` of its manifest. Times are in
 * milliseconds, loads in requests.
 */
export interface Scaling {
  minScale: number
  /** 0 is no limit. */
  maxScale: number
  initialScale: number
  /** The least number of processes while there are any. */
  activationScale: number
  /** The average number of requests in flight that each process should have: target times utilization. */
  target: number
  windowMs: number
  panicWindowMs: number
  /** Panic begins if the panic window needs this many times the ready processes. */
  panicThreshold: number
  scaleDownDelayMs: number
  /** How long the last process stays after a whole window without requests. */
  retentionMs: number
}

/** What the autoscaler remembers from one decision to the next. */
export interface ScalerState {
  /** When the load was last over the panic threshold; undefined without a panic. */
  panicSince: number | undefined
  /** The most processes that were wanted during this panic: a panic never scales down. */
  panicScale: number
  /** Since when no processes are wanted; undefined while some are. */
  idleSince: number | undefined
  /** Recent decisions, kept only if there is a scale-down delay. */
  recent: { at: number; scale: number }[]
}

export interface Observation {
  now: number
  ready: number
  /**
   * The average number of requests in flight over the window, and over the panic window. Held requests count.
   */
  stable: number
  panic: number
  /** How long ago the Service left zero. */
  activeMs: number
}

export const CALM: ScalerState = { panicSince: undefined, panicScale: 0, idleSince: undefined, recent: [] }

/** At most half of the processes are removed at a time: Knative's max-scale-down-rate. */
const SCALE_DOWN_RATE = 2

/**
 * Decides how many processes a Service should have, like Knative's pod autoscaler (KPA). The time and all
 * numbers are passed in. Source: knative/serving, pkg/autoscaler/scaling/autoscaler.go.
 */
export function decide(
  scaling: Scaling,
  before: ScalerState,
  seen: Observation,
): { scale: number; state: ScalerState } {
  const ready = Math.max(1, seen.ready)
  const floor = Math.floor(ready / SCALE_DOWN_RATE)
  const wanted = (average: number): number => {
    const scale = Math.max(Math.ceil(average / scaling.target), floor)
    return average > 0 ? Math.max(scale, scaling.activationScale) : scale
  }
  const overThreshold = Math.ceil(seen.panic / scaling.target) / ready >= scaling.panicThreshold
  const { panicSince, panicScale, scale: unclamped } = panicked()
  const delayed = delay(unclamped)
  const { idleSince, scale: retained } = retain(delayed.scale)

  return {
    scale: clamp(scaling, retained),
    state: { panicSince, panicScale, idleSince, recent: delayed.recent },
  }

  function panicked() {
    // A panic ends when the load has been under the threshold for a whole stable window.
    const since = overThreshold
      ? seen.now
      : before.panicSince !== undefined && seen.now - before.panicSince <= scaling.windowMs
        ? before.panicSince
        : undefined
    const stable = wanted(seen.stable)
    if (since === undefined) return { panicSince: undefined, panicScale: 0, scale: stable }
    const highest = Math.max(stable, wanted(seen.panic), before.panicScale)
    return { panicSince: since, panicScale: highest, scale: highest }
  }

  function delay(scale: number) {
    if (scaling.scaleDownDelayMs === 0) return { scale, recent: [] }
    const young = before.recent.filter(({ at }) => seen.now - at <= scaling.scaleDownDelayMs)
    const recent = [...young, { at: seen.now, scale }]
    return { scale: Math.max(...recent.map((wish) => wish.scale)), recent }
  }

  function retain(scale: number) {
    if (scale > 0) return { scale, idleSince: undefined }
    const idleSince = before.idleSince ?? seen.now
    const retained = seen.ready > 0 && seen.now - idleSince < scaling.retentionMs
    // A process that has just been started (initial-scale) has not been idle for a whole window yet.
    const kept = retained || seen.activeMs < scaling.windowMs
    return { scale: kept ? 1 : 0, idleSince }
  }
}

/** Returns `scale` within the manifest's bounds. */
export function clamp({ minScale, maxScale }: Scaling, scale: number): number {
  return Math.min(Math.max(scale, minScale), maxScale || Infinity)
}

const BUCKETS_PER_WINDOW = 60

/** Measures the requests in flight: averages, weighted by time, over the window or a part of it. */
export class ConcurrencyMeter {
  readonly #windowMs: number
  readonly #bucketMs: number
  #buckets: { start: number; area: number }[] = []
  #current = 0
  #at: number
  /**
   * The time before this is unknown and no part of any average, so a young Service does not count as idle.
   */
  #since: number

  constructor(windowMs: number, now: number) {
    this.#windowMs = windowMs
    // A whole number, because the starts of buckets are compared with each other.
    this.#bucketMs = Math.ceil(windowMs / BUCKETS_PER_WINDOW)
    this.#at = now
    this.#since = now
  }

  get current(): number {
    return this.#current
  }

  /** A request came (+1) or ended (-1). */
  change(by: 1 | -1, now: number): void {
    this.#advance(now)
    if (this.#current === 0 && this.#buckets.every(({ area }) => area === 0)) this.#since = now
    this.#current += by
  }

  /** The average number of requests in flight over the last `overMs` (at most the window). */
  average(overMs: number, now: number): number {
    this.#advance(now)
    const start = this.#bucketStart(now - overMs)
    const area = this.#buckets.reduce((sum, bucket) => (bucket.start >= start ? sum + bucket.area : sum), 0)
    return area / Math.max(this.#bucketMs, now - Math.max(start, this.#since))
  }

  #advance(now: number): void {
    if (now - this.#at > this.#windowMs) this.#at = this.#bucketStart(now - this.#windowMs)
    while (this.#at < now) {
      const start = this.#bucketStart(this.#at)
      const end = Math.min(now, start + this.#bucketMs)
      const last = this.#buckets.at(-1)
      const area = this.#current * (end - this.#at)
      if (last?.start === start) last.area += area
      else this.#buckets.push({ start, area })
      this.#at = end
    }
    const oldest = this.#bucketStart(now - this.#windowMs)
    const first = this.#buckets.findIndex(({ start }) => start >= oldest)
    if (first !== 0) this.#buckets = first < 0 ? [] : this.#buckets.slice(first)
  }

  #bucketStart(time: number): number {
    return Math.floor(time / this.#bucketMs) * this.#bucketMs
  }
}
