import { performance } from 'node:perf_hooks'
import type { OutboxEvent } from './outbox-event.ts'

/** What became of an event: the Broker has it; will never take it; did not take it now; or it was not sent at
 * all. */
export type PublishOutcome = 'confirmed' | 'refused' | 'failed' | 'left'

/** Events that take their turn together. */
export interface Batch {
  events: readonly OutboxEvent[]
  /** Moment by performance.now() after which no more of them are sent: others may be publishing them then. */
  until: number
  /** Where one event fails, the others are left rather than tried a little later. */
  givesUp: boolean
  /** Called once for each event. */
  onOutcome: (event: OutboxEvent, outcome: PublishOutcome) => void
}

export interface Relay {
  add(batch: Batch): void
  /** Events that wait for their turn. */
  readonly waiting: number
  /** True where none waits and none is on its way. */
  readonly isIdle: boolean
  /** While it is set, what waits is left as soon as one fails, instead of being tried a little later. */
  isEnding: boolean
}

const IN_FLIGHT_MAX = 32
const PAUSE_MS = 1_000
// 640 a second, whatever the load.
const MOMENT_MS = 100
const AT_LEAST = 64

type Started = Batch & { next: number }

/** Sends events in the order in which they come, several at once; fewer while the process is fully occupied
 * with requests, whose answers come first.
 * @param post sends one and calls back with the Broker's status, or 0 where it did not answer */
export function createRelay(post: (event: OutboxEvent, done: (status: number) => void) => void): Relay {
  const batches: Started[] = []
  const window = createWindow()
  let waiting = 0
  let inFlight = 0
  let isEnding = false
  let pause: NodeJS.Timeout | undefined
  let isAwaited = false

  const pump = (): void => {
    isAwaited = false
    while (!pause && batches.length > 0 && inFlight < window.size()) {
      const batch = batches[0]!
      if (batch.next === batch.events.length) batches.shift()
      else if (performance.now() > batch.until) leave(batch)
      else send(batch)
    }
  }

  const send = (batch: Started): void => {
    const event = batch.events[batch.next++]!
    waiting--
    inFlight++
    window.sent()
    post(event, (status) => {
      inFlight--
      const outcome = outcomeOf(status)
      if (outcome === 'failed') rest()
      batch.onOutcome(event, outcome)
      pump()
    })
  }

  // One that fails is seldom alone: the Broker is away, or takes no more for the moment.
  const rest = (): void => {
    pause ??= setTimeout(() => {
      pause = undefined
      pump()
    }, PAUSE_MS).unref()
    for (const batch of batches.filter(({ givesUp }) => givesUp || isEnding)) leave(batch)
  }

  const leave = (batch: Started): void => {
    batches.splice(batches.indexOf(batch), 1)
    const left = batch.events.slice(batch.next)
    waiting -= left.length
    for (const event of left) batch.onOutcome(event, 'left')
  }

  return {
    add(batch) {
      batches.push({ ...batch, next: 0 })
      waiting += batch.events.length
      // Not at this moment: what is answered by the promises that are settled now is written first.
      if (!isAwaited) process.nextTick(pump)
      isAwaited = true
    },
    get waiting() {
      return waiting
    },
    get isIdle() {
      return waiting === 0 && inFlight === 0
    },
    get isEnding() {
      return isEnding
    },
    set isEnding(value) {
      isEnding = value
      if (isEnding && pause) rest()
    },
  }
}

/** 400 and 413 are the Broker's words for an event that is none or too large; everything else may pass. */
function outcomeOf(status: number): PublishOutcome {
  if (status >= 200 && status < 300) return 'confirmed'
  return status === 400 || status === 413 ? 'refused' : 'failed'
}

/** How many may be on their way at once. The first of each tenth of a second are not held up, so that a
 * moderate load is published at once even where other processes take the processor. For what is beyond, it
 * depends on how much of the tenth before this thread was busy: all up to half of it, then fewer and fewer,
 * never none. */
function createWindow(): { size(): number; sent(): void } {
  let last = performance.eventLoopUtilization()
  let lastAt = performance.now()
  let sent = 0
  let size = IN_FLIGHT_MAX

  const measure = (): void => {
    const current = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(current, last)
    size = Math.max(1, Math.round(IN_FLIGHT_MAX * Math.min(1, 2 * (1 - utilization))))
    last = current
    lastAt = performance.now()
    sent = 0
  }

  return {
    size() {
      if (performance.now() - lastAt >= MOMENT_MS) measure()
      return sent < AT_LEAST ? IN_FLIGHT_MAX : size
    },
    sent: () => void sent++,
  }
}
