import type pg from 'pg'
import PgBoss from 'pg-boss'
import type { EventMessage } from '../message.ts'
import { deadLettersOf } from './topology.ts'
import type { Topology } from './topology.ts'

/** The schema in which pg-boss keeps its tables. */
const SCHEMA = 'broker'

export interface Job {
  queue: string
  event: EventMessage
}

/** What runs a statement: a pool, or one connection in a transaction. */
type Executor = Pick<pg.Pool, 'query'>

export type JobStore = ReturnType<typeof createJobStore>

/**
 * Stores jobs with pg-boss, and adds what it lacks: a failed fetch is an error here, and so is an unknown
 * queue.
 *
 * The pool `durable` commits to disk. The pool `fast` may lose its last commits in a power cut; then an event
 * comes again.
 */
export function createJobStore(durable: pg.Pool, fast: pg.Pool) {
  const on = (executor: Executor): PgBoss.Db => ({ executeSql: (sql, values) => executor.query(sql, values) })
  const boss = new PgBoss({ db: on(durable), schema: SCHEMA, supervise: false, schedule: false })
  boss.on('error', () => undefined) // Each error also rejects the call that caused it.

  return {
    /** Creates the tables, and a queue for each Trigger and for its dead letters. */
    async prepare(topology: Topology): Promise<void> {
      await boss.start()
      for (const { queue } of [...topology.triggers, ...deadLettersOf(topology)])
        await boss.createQueue(queue)
    },

    /** Stores jobs. They are durable when it resolves. */
    async insert(jobs: readonly Job[], executor: Executor = durable): Promise<void> {
      const rows = jobs.map(({ queue, event: { attributes, data } }) => ({
        name: queue,
        data: { attributes, data: data.toString('base64') },
      }))
      let stored: number | null = 0
      const counting = async (sql: string, values: unknown[]) => {
        const result = await executor.query(sql, values)
        stored = result.rowCount
        return result
      }
      await boss.insert(rows, { db: { executeSql: counting } })
      // pg-boss ignores jobs for a queue that it doesn't know, without an error.
      if (stored !== jobs.length)
        throw new Error(`stored ${stored} of ${jobs.length} jobs: a queue is missing`)
    },

    /** Takes up to `count` jobs. They belong to this process until they are deleted or released. */
    async take(queue: string, count: number): Promise<{ id: string; event: EventMessage }[]> {
      // pg-boss answers a failed fetch with an empty list, but an outage must not look like an empty queue.
      let failure: unknown
      const watched: PgBoss.Db = {
        executeSql: (sql, values) =>
          fast.query(sql, values).catch((error: unknown) => {
            failure = error
            throw error
          }),
      }
      const jobs = await boss.fetch<{ attributes: Record<string, string>; data: string }>(queue, {
        batchSize: count,
        priority: false,
        // No job is ever put off. Otherwise a clock that is set back would hold up the jobs stored before.
        ignoreStartAfter: true,
        db: watched,
      })
      if (failure) throw failure
      return jobs.map(({ id, data }) => ({
        id,
        event: { attributes: data.attributes, data: Buffer.from(data.data, 'base64') },
      }))
    },

    async delete(queue: string, ids: string[], executor: Executor = fast): Promise<void> {
      await boss.deleteJob(queue, ids, { db: on(executor) })
    },

    /** Releases every job that was taken and is not in `held`: a process was killed, or the answer of a
     * statement was lost. Only one process takes jobs, so no other process holds them. */
    async release(queue: string, held: string[]): Promise<void> {
      await fast.query(
        `update ${SCHEMA}.job set state = 'retry' where name = $1 and state = 'active' and id <> all($2::uuid[])`,
        [queue, held],
      )
    },

    /** Replaces a job by its dead letter, in one transaction. */
    async deadLetter(queue: string, id: string, deadLetter: Job): Promise<void> {
      const client = await durable.connect()
      const ignore = () => undefined // If the connection is cut between two statements, the next one fails.
      client.on('error', ignore)
      try {
        await client.query('begin')
        await this.insert([deadLetter], client)
        await this.delete(queue, [id], client)
        await client.query('commit')
        client.off('error', ignore).release()
      } catch (error) {
        client.release(true) // Closing the connection rolls back, even if it hangs.
        throw error
      }
    },

    async backlogs(): Promise<Map<string, number>> {
      const { rows } = await fast.query<{ name: string; count: string }>(
        `select queue.name, count(job.id) from ${SCHEMA}.queue left join ${SCHEMA}.job using (name) group by 1`,
      )
      return new Map(rows.map(({ name, count }) => [name, Number(count)]))
    },
  }
}
