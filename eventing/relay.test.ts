import { performance } from 'node:perf_hooks'
import { until } from '../tests/support/until.ts'
import type { PendingEvent } from './outbox-event.ts'
import { createRelay, type Batch, type PublishOutcome } from './relay.ts'

/** A Broker that answers only when a test tells it to. */
function manualBroker() {
  const unanswered: ((status: number) => void)[] = []
  return {
    unanswered,
    post: (_event: PendingEvent, done: (status: number) => void) => void unanswered.push(done),
    answer: (status: number) => unanswered.shift()!(status),
  }
}

function batchOf(count: number, options: Partial<Batch> = {}): { batch: Batch; outcomes: PublishOutcome[] } {
  const outcomes: PublishOutcome[] = []
  const events = Array.from({ length: count }, (_, n) => ({ id: String(n) }) as PendingEvent)
  const onOutcome = (_event: PendingEvent, outcome: PublishOutcome): void => void outcomes.push(outcome)
  return {
    outcomes,
    batch: { events, until: Infinity, givesUp: false, onOutcome, ...options },
  }
}

/** Keeps this thread busy, like a function that gets more requests than it can answer. */
function occupy(): { stop(): void } {
  let isOver = false
  const turn = (): void => {
    const end = performance.now() + 20
    while (performance.now() < end);
    if (!isOver) setImmediate(turn)
  }
  turn()
  return { stop: () => void (isOver = true) }
}

test('the busier the process, the fewer events are in flight, but at least one', async () => {
  const broker = manualBroker()
  const relay = createRelay(broker.post)
  const { batch, outcomes } = batchOf(10_000)
  relay.add(batch)
  await until(() => broker.unanswered.length > 0)
  expect(broker.unanswered).toHaveLength(32)

  const answerAll = (): void => {
    for (let n = broker.unanswered.length; n > 0; n--) broker.answer(202)
  }
  // A look may come only once in a tenth of a second, and of each tenth the first 64 are not held up.
  const answerMany = (): void => {
    for (let times = 0; times < 3; times++) answerAll()
  }
  const requests = occupy()
  try {
    await until(() => {
      answerMany()
      expect(broker.unanswered.length).toBeGreaterThan(0)
      return broker.unanswered.length <= 3
    })
  } finally {
    requests.stop()
  }
  await until(() => {
    answerAll()
    return broker.unanswered.length === 32
  })
  expect(new Set(outcomes)).toEqual(new Set(['confirmed']))
})

test('each status has its outcome', async () => {
  const broker = manualBroker()
  const relay = createRelay(broker.post)
  const { batch, outcomes } = batchOf(7)
  relay.add(batch)
  await until(() => broker.unanswered.length === 7)
  for (const status of [200, 202, 400, 413, 404, 503, 0]) broker.answer(status)
  expect(outcomes).toEqual(['confirmed', 'confirmed', 'refused', 'refused', 'failed', 'failed', 'failed'])
  expect(relay.isIdle).toBe(true)
})

test('after a failure the other events wait a while and are then tried; a batch that gives up is left', async () => {
  const broker = manualBroker()
  const relay = createRelay(broker.post)
  const patient = batchOf(40)
  const hasty = batchOf(10, { givesUp: true })
  relay.add(patient.batch)
  relay.add(hasty.batch)
  await until(() => broker.unanswered.length === 32)
  while (broker.unanswered.length > 0) broker.answer(503)
  expect(hasty.outcomes).toEqual(Array(10).fill('left'))
  expect(patient.outcomes).toEqual(Array(32).fill('failed'))
  expect(relay.waiting).toBe(8)
  await until(() => broker.unanswered.length === 8)
})

test('when the process ends, waiting events are left as soon as the Broker fails', async () => {
  const broker = manualBroker()
  const relay = createRelay(broker.post)
  const { batch, outcomes } = batchOf(40)
  relay.add(batch)
  await until(() => broker.unanswered.length === 32)
  relay.isEnding = true
  broker.answer(0)
  expect(outcomes.filter((outcome) => outcome === 'left')).toHaveLength(8)
  while (broker.unanswered.length > 0) broker.answer(202)
  expect(relay.isIdle).toBe(true)
})

test('events that have waited until others may publish them are left to the others', async () => {
  const broker = manualBroker()
  const relay = createRelay(broker.post)
  const { batch, outcomes } = batchOf(3, { until: performance.now() - 1 })
  relay.add(batch)
  await until(() => outcomes.length === 3)
  expect(outcomes).toEqual(['left', 'left', 'left'])
  expect(broker.unanswered).toHaveLength(0)
  expect(relay.isIdle).toBe(true)
})

describe('while an event is under way', () => {
  const turn = () => new Promise((resolve) => setImmediate(resolve))

  test('those that come gather, and leave together when it is answered', () =>
    until(async () => {
      const broker = manualBroker()
      const relay = createRelay(broker.post)
      relay.add(batchOf(1).batch)
      await turn()
      relay.add(batchOf(1).batch)
      await turn()
      relay.add(batchOf(1).batch)
      await turn()
      // On a machine that was busy elsewhere they have waited long enough, and have left.
      const haveGathered = broker.unanswered.length === 1
      broker.answer(202)
      expect(broker.unanswered).toHaveLength(2)
      return haveGathered
    }))

  test('they do not wait long for its answer', async () => {
    const broker = manualBroker()
    const relay = createRelay(broker.post)
    relay.add(batchOf(1).batch)
    await turn()
    relay.add(batchOf(1).batch)
    await until(() => broker.unanswered.length === 2)
  })
})

describe('when there are many', () => {
  /** Adds events in each turn of the event loop, until they have to wait for others. The Broker answers at
   * once. */
  async function untilTheyWait() {
    let posted = 0
    const relay = createRelay((_event, done) => {
      posted++
      done(202)
    })
    let added = 0
    await until(
      async () => {
        // So many that they are a crowd on any machine.
        relay.add(batchOf(1_000).batch)
        added += 1_000
        await new Promise((resolve) => setImmediate(resolve))
        return posted < added
      },
      { everyMs: 0 },
    )
    return { relay, posted: () => posted, added }
  }

  test('events gather, and leave together', async () => {
    const { relay, posted, added } = await untilTheyWait()
    relay.add(batchOf(1).batch)
    relay.add(batchOf(1).batch)
    expect(posted()).toBeLessThan(added)
    await until(() => posted() >= added)
    expect(posted()).toBe(added + 2)
  })

  test('a process that stops lets them leave at once', async () => {
    const { relay, posted, added } = await untilTheyWait()
    relay.isEnding = true
    expect(posted()).toBe(added)
  })

  test('events of a sweep wait for nobody', async () => {
    const { relay, posted, added } = await untilTheyWait()
    const { batch, outcomes } = batchOf(3, { givesUp: true })
    relay.isEnding = true
    relay.isEnding = false
    relay.add(batch)
    await new Promise((resolve) => setImmediate(resolve))
    expect([posted(), outcomes.length]).toEqual([added + 3, 3])
  })
})
