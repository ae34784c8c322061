import { randomUUID } from 'node:crypto'
import { createSend } from '../../functions/host/http/send.ts'
import { CLUSTER_DOMAIN } from '../../knative/local/gateway/hosts.ts'
import { postTransactions } from '../../functions/ledger/posting/post.ts'
import { startBroker, startFunction } from '../bank.ts'
import type { Bench, Ratio } from '../bench.ts'
import { openAccounts, transferOf, type Customer } from '../customers.ts'
import { countPending, proveLedger, settle, startDatabases, type BenchDatabases } from '../databases.ts'
import { runProgram, usageOf } from '../processes.ts'
import { inTurns } from '../rounds.ts'

/** A job for programs/raw-publish.ts. */
export interface RawPublishJob {
  amqpUrl: string
  count: number
  /** Messages in flight at once. */
  window: number
  /** Size of a message in bytes: that of an event. */
  bytes: number
}

const WINDOW = 100
const EVENT_BYTES = 600
const BATCH = 500
const SWEEP_MS_MAX = 300_000
const SWEEPS_MAX = 60

/** The rate at which a sweep publishes events that were stored while the Broker was away, against publishing
 * to RabbitMQ alone. */
export const backlog: Ratio = {
  id: 'backlog',
  needs: ['rabbitmq-server'],
  async run(bench) {
    const [count, events] = bench.isQuick ? [1, 20_000] : [2, 100_000]
    const databases = await startDatabases(bench)
    const broker = await startBroker(bench, databases)
    if (!broker.amqpUrl) throw new Error('expected the Broker to run over RabbitMQ')
    const { amqpUrl } = broker
    const brokerPid = Number(await (await fetch(`${broker.url}healthz`)).text())
    const customers = await openAccounts(bench, databases)

    const rounds = await inTurns(
      count,
      async (round) => {
        bench.progress.step(`backlog: round ${round + 1} of ${count}, storing ${events} events`)
        await store(databases, customers, events)
        await settle(databases)
        bench.progress.step(`backlog: round ${round + 1} of ${count}, publishing them`)
        return drain(bench, databases, { brokerUrl: broker.url, brokerPid, events })
      },
      async () => {
        bench.progress.step('backlog: RabbitMQ alone')
        const job = { amqpUrl, count: events, window: WINDOW, bytes: EVENT_BYTES }
        return runProgram<RawPublishJob, { perSecond: number }>(bench, 'raw-publish', job)
      },
    )
    await proveLedger(bench, databases)
    const peakOf = (process: 'functionBytes' | 'brokerBytes'): number =>
      Math.round(Math.max(...rounds.map(({ ours }) => ours[process])) / 1e6)
    return [
      {
        id: 'backlog',
        name: 'Events of a backlog : raw publishing',
        unit: 'per second',
        goal: null,
        rounds: rounds.map(({ ours, floor }) => ({ ours: ours.perSecond, floor: floor.perSecond })),
        notes: [
          `${events.toLocaleString('en')} events; the function used up to ${peakOf('functionBytes')} MB of memory, the Broker ${peakOf('brokerBytes')} MB`,
        ],
      },
    ]
  },
}

/** Posts transfers whose events nobody publishes, as while the Broker is away. */
async function store({ ledger, owner }: BenchDatabases, customers: Customer[], events: number) {
  for (let n = 0; n < events; n += BATCH) {
    const requests = Array.from({ length: BATCH }, (_, i) => {
      const { userId, accounts } = customers[(n + i) % customers.length]!
      return transferOf(userId, accounts[n % 10]!, accounts[(n + 1) % 10]!)
    })
    await postTransactions(ledger, requests)
  }
  await owner.query({ text: 'update outbox_pending set claimed_until = now()' })
}

/** Lets sweeps publish all events, one after the other. Measures their rate and the most memory that they
 * took. */
async function drain(
  bench: Bench,
  databases: BenchDatabases,
  { brokerUrl, brokerPid, events }: { brokerUrl: string; brokerPid: number; events: number },
) {
  const sweeper = await startFunction(bench, databases, { name: 'sweep-ledger', brokerUrl })
  let [functionBytes, brokerBytes] = [0, 0]
  const watch = setInterval(() => {
    functionBytes = Math.max(functionBytes, usageOf(sweeper.pid).rssBytes)
    brokerBytes = Math.max(brokerBytes, usageOf(brokerPid).rssBytes)
  }, 50)
  const startedAt = performance.now()
  for (let sweeps = 0; ; sweeps++) {
    const left = await countPending(databases.owner)
    if (left === 0) break
    if (sweeps === SWEEPS_MAX) throw new Error(`${sweeps} sweeps left ${left} of ${events} events`)
    await sweep(sweeper.url)
  }
  const perSecond = events / ((performance.now() - startedAt) / 1000)
  clearInterval(watch)
  await sweeper.kill()
  return { perSecond, functionBytes, brokerBytes }
}

/** Sweeps once, as the PingSource does every minute. A sweep gives each of its jobs a share of its time. */
async function sweep(url: string): Promise<void> {
  const { status } = await createSend(undefined)({
    url: `${url}/events`,
    method: 'POST',
    headers: {
      host: `sweep-ledger.${CLUSTER_DOMAIN}`,
      'ce-specversion': '1.0',
      'ce-id': randomUUID(),
      'ce-type': 'dev.knative.sources.ping',
      'ce-source': '/bench',
    },
    timeoutMs: SWEEP_MS_MAX,
  })
  if (status !== 204) throw new Error(`the sweep answered ${status}`)
}
