import type { PendingEvent } from '../../eventing/outbox-event.ts'
import { takePort } from '../../knative/local/processes/ports.ts'
import { postTransactions } from '../../functions/ledger/posting/post.ts'
import { ingressUrl, startBroker, startFunction } from '../bank.ts'
import type { Bench, Ratio } from '../bench.ts'
import { openAccounts, transferOf, type Customer } from '../customers.ts'
import { proveLedger, settle, startDatabases, type BenchDatabases } from '../databases.ts'
import { watchDelivery } from '../delivery.ts'
import { openProgram } from '../processes.ts'
import { perPiece, processorTimeNote, readProcessorTime, type ProcessorTime } from '../processor-time.ts'
import { inTurns, median, type Measurement } from '../rounds.ts'
import { figure } from '../table.ts'
import { EVENT_BYTES, type RawAnswer, type RawJob } from './events.ts'

/** A job for programs/emitter.ts: takes events, or publishes those that it has taken. */
export type EmitterJob =
  | { events: PendingEvent[] }
  /** Without a rate it publishes as fast as it can. */
  | { events?: undefined; perSecond?: number | undefined }

/** Programs between a commit and its notification. Postgres' part is to delete the pending row, and to store
 * the notification with its inbox row and its own event. */
const OURS = ['emitter', 'broker', 'RabbitMQ', 'notify', 'Postgres']
const RAW = ['raw-events', 'RabbitMQ']
const BATCH = 500

/** Processor time of all processes for one event, from its commit to its notification, against RabbitMQ's own
 * publishing and consuming at the same rate: where each event is alone, where they come in crowds, and as
 * fast as it goes. */
export const event: Ratio = {
  id: 'event',
  needs: ['rabbitmq-server'],
  async run(bench) {
    const databases = await startDatabases(bench)
    const path = await startPath(bench, databases)
    const measured: Measurement[] = []
    const [slow, steady, most] = bench.isQuick ? [3, 2, 5_000] : [12, 8, 20_000]
    for (const pace of [
      { id: '50', perSecond: 50, count: 50 * slow },
      { id: '500', perSecond: 500, count: 500 * steady, goal: 4 },
      { id: 'greatest', perSecond: undefined, count: most },
    ])
      measured.push(await measureAt(bench, path, pace))
    await proveLedger(bench, databases)
    return measured
  },
}

interface Pace {
  id: string
  /** Undefined for the greatest rate. */
  perSecond: number | undefined
  /** Number of events. */
  count: number
  goal?: number
}

async function measureAt(bench: Bench, path: EventPath, pace: Pace): Promise<Measurement> {
  const count = bench.isQuick ? 1 : 2
  const at = pace.perSecond ? `at ${pace.perSecond} a second` : 'at the greatest rate'
  // The floor follows the rate that was reached.
  let reached = pace.perSecond
  const rounds = await inTurns(
    count,
    async (round) => {
      bench.progress.step(`event: round ${round + 1} of ${count}, ${at}`)
      const carried = await path.carry(pace.count, pace.perSecond)
      reached = pace.perSecond ?? carried.perSecond
      return carried
    },
    async () => {
      bench.progress.step(`event: RabbitMQ alone, ${at}`)
      reached ??= (await path.carry(pace.count, undefined)).perSecond
      return carryRaw(bench, path.amqpUrl, { perSecond: reached, count: pace.count })
    },
  )
  const [ours, floor] = [rounds.map((round) => round.ours), rounds.map((round) => round.floor)]
  return {
    id: `event-${pace.id}`,
    name: `CPU of an event ${at} : raw`,
    unit: 'µs CPU/event',
    goal: pace.goal ? { ratio: pace.goal, better: 'lower' } : null,
    rounds: rounds.map((round) => ({ ours: sumOf(round.ours.used, OURS), floor: sumOf(round.floor, RAW) })),
    notes: [
      `${figure(median(ours.map(({ perSecond }) => perSecond)))} a second, all notifications stored`,
      ...noteOf(
        ours.map(({ used }) => used),
        OURS,
        'an event',
      ),
      ...noteOf(floor, RAW, 'a raw message'),
    ],
  }
}

/** Returns microseconds. Throws on a system that doesn't tell. */
function sumOf(used: ProcessorTime, names: readonly string[]): number {
  return names.reduce((sum, name) => sum + (used[name] ?? 0) * 1e6, 0)
}

const noteOf = (used: readonly ProcessorTime[], names: readonly string[], of: string): string[] =>
  processorTimeNote(
    used.map((times) => Object.fromEntries(names.map((name) => [name, times[name] ?? 0]))),
    1,
    of,
  )

interface EventPath {
  amqpUrl: string
  /** Commits events, and then publishes them. Resolves when each has its notification, with the processor
   * time by program for each, from the first publish on. */
  carry(count: number, perSecond: number | undefined): Promise<{ perSecond: number; used: ProcessorTime }>
}

/** Starts all that is between a commit and its notification. In place of the function that publishes after
 * its commit stands a program with the same outbox, so that the requests that lead to the events, and their
 * posting, are not counted. */
async function startPath(bench: Bench, databases: BenchDatabases): Promise<EventPath> {
  const { secrets, urls } = databases
  const port = await takePort()
  const notify = await startFunction(bench, databases, { name: 'notify', brokerUrl: ingressUrl(port) })
  const broker = await startBroker(bench, databases, { port, services: { notify: notify.url } })
  if (!broker.amqpUrl) throw new Error('expected the Broker to run over RabbitMQ')
  const customers = await openAccounts(bench, databases)
  const emitter = openProgram(bench, 'emitter', {
    DATABASE_URL: urls.ledger!.functions,
    BROKER_URL: broker.url,
    EVENT_KEY: secrets.secrets({}).get('ledger-events')!.LEDGER_EVENT_KEY!,
  })

  const carry: EventPath['carry'] = async (count, perSecond) => {
    const watch = await watchDelivery(databases)
    // Events that are published one by one were also posted one by one: each has a pending row of its own.
    const events = await commit(databases, customers, { count, batch: perSecond ? 1 : BATCH })
    await settle(databases)
    await emitter.ask<EmitterJob, object>({ events })
    const before = readProcessorTime()
    const startedAt = performance.now()
    await emitter.ask<EmitterJob, object>({ perSecond })
    await watch.untilDelivered()
    const seconds = (performance.now() - startedAt) / 1000
    return { perSecond: count / seconds, used: perPiece(before, readProcessorTime(), count) }
  }
  bench.progress.step('event: warming up')
  await carry(bench.isQuick ? 1_000 : 5_000, 1_000)
  return { amqpUrl: broker.amqpUrl, carry }
}

/** Posts transfers. Resolves with their events, which nobody publishes yet. */
async function commit(
  { ledger }: BenchDatabases,
  customers: Customer[],
  { count, batch }: { count: number; batch: number },
) {
  const committed: PendingEvent[] = []
  while (committed.length < count) {
    const requests = Array.from({ length: Math.min(batch, count - committed.length) }, (_, i) => {
      const { userId, accounts } = customers[(committed.length + i) % customers.length]!
      const from = Math.floor((committed.length + i) / customers.length)
      return transferOf(userId, accounts[from % 10]!, accounts[(from + 1) % 10]!)
    })
    committed.push(...(await postTransactions(ledger, requests)).events)
  }
  return committed
}

/** Publishes and consumes messages with RabbitMQ alone. Resolves with the processor time by program for
 * each. */
async function carryRaw(
  bench: Bench,
  amqpUrl: string,
  { perSecond, count }: { perSecond: number; count: number },
): Promise<ProcessorTime> {
  const program = openProgram(bench, 'raw-events')
  const answer = await program.ask<RawJob, RawAnswer>({
    amqpUrl,
    perSecond,
    warmupSeconds: Math.max(1, 200 / perSecond),
    seconds: count / perSecond,
    bytes: EVENT_BYTES,
  })
  const used = perPiece(answer.before, readProcessorTime(), answer.count)
  await program.end()
  return used
}
