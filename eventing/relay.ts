import { performance } from 'node:perf_hooks'
import type { PendingEvent } from './outbox-event.ts'

/** Outcome of an event. confirmed: the Broker has stored it. refused: the Broker will never take it. failed:
 * the Broker did not take it now. left: it was not sent. */
export type PublishOutcome = 'confirmed' | 'refused' | 'failed' | 'left'

/** Events that are sent as one unit. */
export interface Batch {
  events: readonly PendingEvent[]
  /** Moment by performance.now() after which no more of them are sent, because another process may be
   * publishing them then. */
  until: number
  /** If true and one event fails, the others are left. If false, they are tried a little later. */
  givesUp: boolean
  /** Called once for each event. */
  onOutcome: (event: PendingEvent, outcome: PublishOutcome) => void
}

export interface Relay {
  add(batch: Batch): void
  /** Number of events that wait for their turn. */
  readonly waiting: number
  /** True if no event waits or is in flight. */
  readonly isIdle: boolean
  /** While true, waiting events are left as soon as one fails, instead of being tried a little later. */
  isEnding: boolean
}

const IN_FLIGHT_MAX = 32
const PAUSE_MS = 1_000
// AT_LEAST events in each MOMENT_MS are sent whatever the load: 640 a second.
const MOMENT_MS = 100
const AT_LEAST = 64
// Above that rate, events wait this long for others. An event that goes alone costs all processes on its way
// several times what it costs in a crowd, and the requests that wait meanwhile need their time.
const GATHER_MS = 3

type Started = Batch & { next: number }

/** Creates a relay, which sends events in the order in which they were added, several at once. It sends fewer
 * while requests keep the process busy, because their answers come first. Events that come while others are
 * under way gather until those are answered, and leave together; if there are many, for some milliseconds.
 * @param post sends one event and calls back with the Broker's status, or with 0 if it did not answer */
export function createRelay(post: (event: PendingEvent, done: (status: number) => void) => void): Relay {
  const batches: Started[] = []
  const window = createWindow()
  let waiting = 0
  let inFlight = 0
  let isEnding = false
  let pause: NodeJS.Timeout | undefined
  let gathering: NodeJS.Timeout | undefined
  let isAwaited = false

  const pump = (): void => {
    isAwaited = false
    while (!pause && !gathering && batches.length > 0 && inFlight < window.size()) {
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
      if (inFlight > 0 || window.isCrowd()) pump()
      else endGathering()
    })
  }

  // If one event fails, others will: the Broker is away, or takes no more for the moment.
  const rest = (): void => {
    pause ??= setTimeout(() => {
      pause = undefined
      pump()
    }, PAUSE_MS).unref()
    for (const batch of batches.filter(({ givesUp }) => givesUp || isEnding)) leave(batch)
  }

  /** Lets the events that wait leave when others have joined them. */
  const gather = (): void => {
    gathering ??= setTimeout(endGathering, GATHER_MS)
  }

  const endGathering = (): void => {
    clearTimeout(gathering)
    gathering = undefined
    pump()
  }

  const leave = (batch: Started): void => {
    batches.splice(batches.indexOf(batch), 1)
    const left = batch.events.slice(batch.next)
    waiting -= left.length
    for (const event of left) batch.onOutcome(event, 'left')
  }

  return {
    add(batch) {
      const isNext = inFlight > 0 && waiting === 0
      batches.push({ ...batch, next: 0 })
      waiting += batch.events.length
      // A sweep sends as fast as it can: its events have waited long enough.
      if (!batch.givesUp && !isEnding && (isNext || window.isCrowd())) return gather()
      // Sending waits for the next tick, so that answers whose promises are settled now are written first.
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
      if (isEnding && gathering) endGathering()
    },
  }
}

/** The Broker answers 400 if an event is invalid and 413 if it is too large. Every other failure may pass. */
function outcomeOf(status: number): PublishOutcome {
  if (status >= 200 && status < 300) return 'confirmed'
  return status === 400 || status === 413 ? 'refused' : 'failed'
}

/** Limits how many events are in flight. For the first 64 of each tenth of a second the limit is 32, so that
 * a moderate load is published at once even if other processes use the processor. For the others it depends
 * on how busy this thread was in the previous tenth: 32 if it was busy for up to half of it, and fewer the
 * busier it was, but at least one. Events come in a crowd if there were more than 64 in the previous
 * tenth. */
function createWindow(): { size(): number; isCrowd(): boolean; sent(): void } {
  let last = performance.eventLoopUtilization()
  let lastAt = performance.now()
  let sent = 0
  let size = IN_FLIGHT_MAX
  let isCrowd = false

  const measure = (): void => {
    const ms = performance.now() - lastAt
    if (ms < MOMENT_MS) return
    const current = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(current, last)
    size = Math.max(1, Math.round(IN_FLIGHT_MAX * Math.min(1, 2 * (1 - utilization))))
    isCrowd = (sent * MOMENT_MS) / ms > AT_LEAST
    last = current
    lastAt += ms
    sent = 0
  }

  return {
    size() {
      measure()
      return sent < AT_LEAST ? IN_FLIGHT_MAX : size
    },
    isCrowd() {
      measure()
      return isCrowd
    },
    sent: () => void sent++,
  }
}
