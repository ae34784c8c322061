import { setTimeout as pause } from 'node:timers/promises'
import type { Log } from '../../monitoring/log.ts'
import type { EventMessage } from '../message.ts'
import type { JobStore } from './postgres-store.ts'
import type { Handler, Lane } from './queue.ts'

/** Time between two looks at the queue, in ms. It is a safety net: an event that is published here wakes the
 * consumer at once. */
const POLL_MS = 5_000
const RETRY_MS = 500

/** Takes events from one queue in Postgres, as many at once as the lane allows, and settles each. */
export class PostgresConsumer {
  readonly lane: Lane
  readonly #handler: Handler
  readonly #store: JobStore
  readonly #wakeQueue: (queue: string) => void
  readonly #log: Log
  /** Jobs that this consumer holds: under way, or settled and not yet deleted. */
  readonly #held = new Set<string>()
  readonly #settling = new Set<Promise<void>>()
  readonly #release = new AbortController()
  #settled: string[] = []
  #deleting: Promise<void> | undefined
  /** True if the database may have jobs that are marked as taken and that nobody holds. */
  #mayHoldLost = true
  #mayHaveMore = true
  #wakeUp: () => void = () => undefined
  #running: Promise<void> | undefined

  constructor(lane: Lane, handler: Handler, store: JobStore, wakeQueue: (queue: string) => void, log: Log) {
    this.lane = lane
    this.#handler = handler
    this.#store = store
    this.#wakeQueue = wakeQueue
    this.#log = log
  }

  start(): void {
    this.#running = this.#run()
  }

  /** Tells the consumer that the queue has a new event. */
  wake(): void {
    this.#mayHaveMore = true
    this.#wakeUp()
  }

  async stop(): Promise<void> {
    this.#release.abort()
    this.#wakeUp()
    await this.#running
    await Promise.all(this.#settling)
    await this.#deleting
    await this.#store.release(this.lane.queue, []).catch(() => undefined) // If this fails, the next start releases them.
  }

  async #run(): Promise<void> {
    while (!this.#release.signal.aborted) {
      try {
        const room = this.lane.parallelism - this.#settling.size
        if (room > 0 && this.#mayHaveMore) await this.#takeUpTo(room)
        const isFull = this.#settling.size >= this.lane.parallelism
        if (isFull || !this.#mayHaveMore) await this.#sleep(POLL_MS)
      } catch (error) {
        this.#log.warn('events could not be taken from Postgres', { reason: String(error) })
        this.#mayHoldLost = true // The jobs may have been marked before the answer was lost.
        await this.#sleep(RETRY_MS)
      }
    }
  }

  async #takeUpTo(room: number): Promise<void> {
    this.#mayHaveMore = false // Set before the query, so that a wake-up during it counts.
    if (this.#mayHoldLost) {
      await this.#store.release(this.lane.queue, [...this.#held])
      this.#mayHoldLost = false
    }
    const jobs = await this.#store.take(this.lane.queue, room)
    if (jobs.length === room) this.#mayHaveMore = true
    for (const { id, event } of jobs) {
      this.#held.add(id)
      const settled = this.#settle(id, event)
      this.#settling.add(settled)
      void settled.finally(() => {
        this.#settling.delete(settled)
        if (this.#mayHaveMore) this.#wakeUp()
      })
    }
  }

  async #settle(id: string, event: EventMessage): Promise<void> {
    const { queue, deadLetters } = this.lane
    try {
      const settlement = await this.#handler(event, this.#release.signal)
      if (settlement.kind === 'return') return this.#giveBack(id)
      if (settlement.kind === 'done') return this.#delete(id)
      await this.#store.deadLetter(queue, id, { queue: deadLetters!.queue, event: settlement.event })
      this.#held.delete(id)
      this.#wakeQueue(deadLetters!.queue)
    } catch (error) {
      this.#log.warn('an event goes back to its queue', { queue, reason: String(error) })
      this.#giveBack(id)
    }
  }

  #giveBack(id: string): void {
    this.#held.delete(id)
    this.#mayHoldLost = true
    this.wake()
  }

  /** Deletes a settled job. Jobs that are settled while one batch is deleted form the next batch. */
  #delete(id: string): void {
    this.#settled.push(id)
    this.#deleting ??= this.#deleteAll().finally(() => (this.#deleting = undefined))
  }

  async #deleteAll(): Promise<void> {
    while (this.#settled.length > 0) {
      const ids = this.#settled.splice(0)
      try {
        await this.#store.delete(this.lane.queue, ids)
        for (const id of ids) this.#held.delete(id)
      } catch (error) {
        this.#log.warn('settled events could not be deleted yet', { reason: String(error) })
        if (this.#release.signal.aborted) return // The events come again after the next start.
        this.#settled.unshift(...ids)
        await pause(RETRY_MS)
      }
    }
  }

  /** Sleeps until there is a new event, at most for `ms`. After `ms` the queue is worth a look anyway. */
  async #sleep(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      this.#wakeUp = resolve
      timer = setTimeout(() => this.wake(), ms)
    })
    clearTimeout(timer)
    this.#wakeUp = () => undefined
  }
}
