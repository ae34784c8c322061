import type pg from 'pg'
import PgBoss from 'pg-boss'
import type { EventMessage } from '../message.ts'
import { deadLettersOf } from './topology.ts'
import type { Topology } from './topology.ts'

/** Where pg-boss keeps its tables. */
const SCHEMA = 'broker'

export interface Job {
  queue: string
  event: EventMessage
}

/** Where a statement runs: a pool, or one connection in a transaction. */
type Executor = Pick<pg.Pool, 'query'>

export type JobStore = ReturnType<typeof createJobStore>

/**
 * pg-boss with what it lacks: errors of fetch come out, and a queue that isn't there is an error.
 * `durable` commits to disk; `fast` may forget its last moments in a power cut, so that an event comes again.
 */
export function createJobStore(durable: pg.Pool, fast: pg.Pool) {
  const on = (executor: Executor): PgBoss.Db => ({ executeSql: (sql, values) => executor.query(sql, values) })
  const boss = new PgBoss({ db: on(durable), schema: SCHEMA, supervise: false, schedule: false })
  boss.on('error', () => undefined) // Every error also rejects the call that met it.

  return {
    /** Creates the tables, and a queue for each Trigger and its dead letters. */
    async prepare(topology: Topology): Promise<void> {
      await boss.start()
      for (const { queue } of [...topology.triggers, ...deadLettersOf(topology)])
        await boss.createQueue(queue)
    },

    /** Stores jobs; durable when it resolves. */
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
      // pg-boss passes over jobs of a queue that it doesn't know, without a word.
      if (stored !== jobs.length)
        throw new Error(`stored ${stored} of ${jobs.length} jobs: a queue is missing`)
    },

    /** Takes up to `count` jobs; they are ours until deleted or released. */
    async take(queue: string, count: number): Promise<{ id: string; event: EventMessage }[]> {
      // pg-boss answers a failed fetch with an empty list; an outage must not look like an empty queue.
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
        // None is ever put off. By it the clock would only hold up, once it is set back, what was stored
        // before.
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

    /** Gives back every job that was taken but is not among `held`: by a process that was killed, or by a
     * statement whose answer got lost. Only one process takes jobs, so they are nobody else's. */
    async release(queue: string, held: string[]): Promise<void> {
      await fast.query(
        `update ${SCHEMA}.job set state = 'retry' where name = $1 and state = 'active' and id <> all($2::uuid[])`,
        [queue, held],
      )
    },

    /** Moves a job among the dead letters, in one transaction. */
    async deadLetter(queue: string, id: string, deadLetter: Job): Promise<void> {
      const client = await durable.connect()
      const ignore = () => undefined // A connection cut between two statements fails the next one.
      client.on('error', ignore)
      try {
        await client.query('begin')
        await this.insert([deadLetter], client)
        await this.delete(queue, [id], client)
        await client.query('commit')
        client.off('error', ignore).release()
      } catch (error) {
        client.release(true) // Closing the connection rolls back, even where it hangs.
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
