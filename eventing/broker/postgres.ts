import pg from 'pg'
import { setTimeout as pause } from 'node:timers/promises'
import { openConnectionPool } from '../database/connection-pool.ts'
import { isLost, isRefused, sqlstate } from '../database/database-errors.ts'
import type { Log } from '../../monitoring/log.ts'
import { PostgresConsumer } from './postgres-consumer.ts'
import { createJobStore } from './postgres-store.ts'
import type { Job, JobStore } from './postgres-store.ts'
import { PUBLISH_DEADLINE_MS, QueueUnavailableError } from './queue.ts'
import type { BrokerQueue } from './queue.ts'
import { matches } from './topology.ts'
import type { Topology } from './topology.ts'

export interface PostgresQueueOptions {
  /** A database in which the role may create a schema. */
  url: string
  topology: Topology
  log: Log
}

const ANSWER_MS = 5_000
/** Limit for one statement, in bytes, so that a burst doesn't become one huge statement. */
const BATCH_BYTES_MAX = 4 * 1024 * 1024
const BATCH_JOBS_MAX = 500

/**
 * Opens a Broker's queue in Postgres, for a machine without RabbitMQ. pg-boss keeps the jobs: one per Trigger
 * that wants the event, all stored by one statement.
 *
 * The workers, retries and maintenance of pg-boss are not used: they poll, settle whole batches, and expire
 * or archive old jobs, but an event must neither wait nor expire.
 */
export async function openPostgresQueue({ url, topology, log }: PostgresQueueOptions): Promise<BrokerQueue> {
  const limits = { connectionString: url, connectionTimeoutMillis: ANSWER_MS, query_timeout: ANSWER_MS }
  const { pool: durable } = openConnectionPool(pg, { ...limits, max: 4, application_name: 'broker' })
  // A power cut may undo the taking and deleting of jobs: then an event comes a second time.
  const { pool: fast } = openConnectionPool(pg, {
    ...limits,
    max: 4,
    application_name: 'broker-consumers',
    options: '-c synchronous_commit=off',
  })
  let isClosing = false
  for (const pool of [durable, fast])
    pool.on('error', ({ message }) => {
      // pg resolves end() before the connections have closed, and Postgres may end them first.
      if (!isClosing) log.warn('a connection to Postgres is lost', { reason: message })
    })
  const store = createJobStore(durable, fast)
  const closePools = () => {
    isClosing = true
    return Promise.all([durable.end(), fast.end()])
  }
  try {
    await store.prepare(topology)
    await reportOrphans(store, topology, log)
  } catch (error) {
    await closePools()
    throw error
  }

  const consumers = new Set<PostgresConsumer>()
  const wake = (queue: string): void => {
    for (const consumer of consumers) if (consumer.lane.queue === queue) consumer.wake()
  }
  const publisher = new BatchPublisher(store, wake)
  return {
    async publish(event) {
      const wanted = topology.triggers.filter(({ filter }) => matches(filter, event.attributes))
      if (wanted.length > 0) await publisher.publish(wanted.map(({ queue }) => ({ queue, event })))
    },
    consume(lane, handler) {
      const consumer = new PostgresConsumer(lane, handler, store, wake, log)
      consumers.add(consumer)
      consumer.start()
      return { stop: () => consumer.stop().finally(() => consumers.delete(consumer)) }
    },
    backlogs: () => store.backlogs(),
    close: async () => void (await closePools()),
  }
}

/** Logs each queue whose Trigger is gone. It is kept until somebody deletes it, because it may hold
 * events. */
async function reportOrphans(store: JobStore, { owns, triggers }: Topology, log: Log): Promise<void> {
  const used = new Set(triggers.map((route) => route.queue))
  for (const [queue, events] of await store.backlogs())
    if (owns(queue) && !used.has(queue)) log.warn('no Trigger uses this queue any more', { queue, events })
}

/** The jobs of one event, to be stored. */
interface WaitingEvent {
  jobs: Job[]
  /** When the sender is told to come again, by performance.now(). */
  until: number
  resolve: () => void
  reject: (error: unknown) => void
}

/** Stores events by group commit: events that arrive while one batch is being stored form the next one. A
 * lone event never waits. */
class BatchPublisher {
  readonly #store: JobStore
  readonly #wake: (queue: string) => void
  #waiting: WaitingEvent[] = []
  #storing = false

  constructor(store: JobStore, wake: (queue: string) => void) {
    this.#store = store
    this.#wake = wake
  }

  publish(jobs: Job[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ jobs, until: performance.now() + PUBLISH_DEADLINE_MS, resolve, reject })
      if (!this.#storing) void this.#storeAll()
    })
  }

  async #storeAll(): Promise<void> {
    this.#storing = true
    while (this.#waiting.length > 0) {
      const batch = this.#nextBatch()
      const jobs = batch.flatMap((each) => each.jobs)
      try {
        await this.#insert(jobs, batch[0]!.until)
        for (const { resolve } of batch) resolve()
        for (const queue of new Set(jobs.map((job) => job.queue))) this.#wake(queue)
      } catch (error) {
        for (const { reject } of batch) reject(error)
        if (error instanceof QueueUnavailableError) for (const { reject } of this.#overdue()) reject(error)
      }
    }
    this.#storing = false
  }

  /** Removes and returns those that have waited for as long as they may. */
  #overdue(): WaitingEvent[] {
    const now = performance.now()
    const end = this.#waiting.findIndex(({ until }) => until > now)
    return this.#waiting.splice(0, end === -1 ? this.#waiting.length : end)
  }

  /** Removes and returns the oldest that wait, at least one. */
  #nextBatch(): WaitingEvent[] {
    let bytes = 0
    let jobs = 0
    const end = this.#waiting.findIndex((each, index) => {
      jobs += each.jobs.length
      for (const { event } of each.jobs) bytes += event.data.length
      return index > 0 && (bytes > BATCH_BYTES_MAX || jobs > BATCH_JOBS_MAX)
    })
    return this.#waiting.splice(0, end === -1 ? this.#waiting.length : end)
  }

  async #insert(jobs: Job[], deadline: number): Promise<void> {
    for (;;) {
      try {
        return await this.#store.insert(jobs)
      } catch (error) {
        if (!isOutage(error)) throw error
        if (performance.now() >= deadline) throw new QueueUnavailableError((error as Error).message)
        await pause(100)
      }
    }
  }
}

/** Returns whether the database is away. Errors of the network and time-outs have no SQLSTATE; isLost() and
 * isRefused() judge the others. */
function isOutage(error: unknown): boolean {
  return sqlstate(error) === undefined || isLost(error) || isRefused(error)
}
