import { setTimeout as delay } from 'node:timers/promises'
import { ingressUrl, keyPrefix, startBroker, startFunction } from '../bank.ts'
import type { Bench, Ratio } from '../bench.ts'
import { openAccounts, type Customer } from '../customers.ts'
import { proveLedger, settle, startDatabases, type BenchDatabases } from '../databases.ts'
import { percentiles, type Latency } from '../latency.ts'
import { takePort } from '../../knative/local/processes/ports.ts'
import { runProgram } from '../processes.ts'
import type { ProcessorTime } from '../processor-time.ts'
import { inTurns } from '../rounds.ts'

/** A job for programs/paced.ts. */
export interface PacedJob {
  url: string
  perSecond: number
  seconds: number
  customers: Customer[]
  keyPrefix: string
}

/** A job for programs/raw-events.ts. */
export interface RawJob {
  amqpUrl: string
  perSecond: number
  /** Length of the warm-up, whose messages are not counted. */
  warmupSeconds: number
  seconds: number
  /** Size of a message in bytes: that of an event. */
  bytes: number
}

export interface RawAnswer {
  latency: Latency
  /** Number of messages without the warm-up. */
  count: number
  /** Processor time that the bench had used at the end of the warm-up. */
  before: ProcessorTime
}

const PER_SECOND = 500
/** Size of an event as a message. */
export const EVENT_BYTES = 600
const ARRIVAL_MS_MAX = 60_000

/** The time from the commit of a transfer to the commit of its notification, at 500 transfers a second,
 * against the time of a message from publisher to consumer at the same rate. */
export const events: Ratio = {
  id: 'events',
  needs: ['rabbitmq-server'],
  async run(bench) {
    const [count, seconds, warmupSeconds] = bench.isQuick ? [1, 5, 4] : [3, 12, 6]
    // This setting only adds a reading: Postgres notes when each row was committed.
    const databases = await startDatabases(bench, { track_commit_timestamp: 'on' })
    const path = await startPath(bench, databases)

    const rounds = await inTurns(
      count,
      async (round) => {
        bench.progress.step(`events: round ${round + 1} of ${count}, from commit to notification`)
        await settle(databases)
        // The warm-up's events are awaited, so that none of them is left for the measurement.
        await path.latencies(await path.send(warmupSeconds))
        const since = await path.send(seconds)
        return percentiles(await path.latencies(since))
      },
      async () => {
        bench.progress.step('events: from publisher to consumer')
        const job = {
          amqpUrl: path.amqpUrl,
          perSecond: PER_SECOND,
          warmupSeconds,
          seconds,
          bytes: EVENT_BYTES,
        }
        const { latency } = await runProgram<RawJob, RawAnswer>(bench, 'raw-events', job)
        return latency
      },
    )
    await proveLedger(bench, databases)
    const measurement = (percentile: 'p50' | 'p99', goal: number) => ({
      id: `events-${percentile}`,
      name: `Commit to notification : raw (${percentile})`,
      unit: 'ms',
      goal: { ratio: goal, better: 'lower' as const },
      rounds: rounds.map(({ ours, floor }) => ({ ours: ours[percentile], floor: floor[percentile] })),
      latency: rounds[rounds.length >> 1]!.ours,
    })
    return [measurement('p50', 3), measurement('p99', 5)]
  },
}

/** Starts the functions and the Broker between a transfer and its notification. */
async function startPath(bench: Bench, databases: BenchDatabases) {
  // The function that the Broker delivers to also publishes to the Broker, so one of the two must know the
  // other's port beforehand.
  const port = await takePort()
  const notify = await startFunction(bench, databases, { name: 'notify', brokerUrl: ingressUrl(port) })
  const broker = await startBroker(bench, databases, { port, services: { notify: notify.url } })
  if (!broker.amqpUrl) throw new Error('expected the Broker to run over RabbitMQ')
  const transfer = await startFunction(bench, databases, { name: 'transfer', brokerUrl: broker.url })
  const customers = await openAccounts(bench, databases)
  const notifications = databases.ownerOf('notifications')

  const commits = async (database: typeof notifications, table: string, id: string, since: Date) =>
    new Map(
      (
        await database.query<{ id: string; at: string }>({
          // The moments come as text, in microseconds since 1970, because a Date has only milliseconds.
          text: `select ${id}::text as id,
              (extract(epoch from pg_xact_commit_timestamp(xmin)) * 1000000)::bigint::text as at
            from ${table} where pg_xact_commit_timestamp(xmin) >= $1`,
          values: [since],
        })
      ).map(({ id: event, at }) => [event, Number(at) / 1000]),
    )

  return {
    amqpUrl: broker.amqpUrl,
    /** Sends transfers for `seconds`. Resolves with the moment at which it began. */
    async send(seconds: number): Promise<Date> {
      const since = new Date()
      const job = { url: `${transfer.url}/transactions`, perSecond: PER_SECOND, seconds, customers }
      await runProgram<PacedJob, object>(bench, 'paced', { ...job, keyPrefix: keyPrefix() })
      return since
    },
    /** Resolves with the ms from commit to commit of every event since then. Waits until all have arrived. */
    async latencies(since: Date): Promise<number[]> {
      const stated = await commits(databases.owner, 'transactions', 'event_id_of(id)', since)
      const deadline = Date.now() + ARRIVAL_MS_MAX
      for (;;) {
        const stored = await commits(notifications, 'notifications', 'event_id', since)
        const missing = [...stated.keys()].filter((id) => !stored.has(id))
        if (missing.length === 0) return [...stated].map(([id, at]) => stored.get(id)! - at)
        if (Date.now() > deadline)
          throw new Error(`${missing.length} of ${stated.size} events did not arrive`)
        await delay(200)
      }
    },
  }
}
