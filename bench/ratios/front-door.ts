import { join } from 'node:path'
import { keyPrefix } from '../bank.ts'
import type { Bench, Ratio } from '../bench.ts'
import { openAccounts, type Customer } from '../customers.ts'
import { proveLedger, settle, type BenchDatabases } from '../databases.ts'
import { watchDelivery } from '../delivery.ts'
import { load, type LoadReport } from '../load.ts'
import { nameOfNode } from '../nodes.ts'
import { preparePgbench, type Pgbench } from '../pgbench.ts'
import { startServer } from '../processes.ts'
import { perPiece, processorTimeNote, readProcessorTime } from '../processor-time.ts'
import { inTurns, median, type Measurement } from '../rounds.ts'
import { figure } from '../table.ts'
import { medianLatency } from '../transfer-load.ts'
import { startWholeBank } from '../whole-bank.ts'

/** Clients and the goal: so many times the rate of the peer with as many clients. */
const CROWDS = [
  { clients: 16, goal: 2, rounds: 3 },
  { clients: 64, goal: 4, rounds: 2 },
] as const
const LONE = { goal: 2, rounds: 2 }
const SECONDS = 5

/** Transfers through the front door of the whole bank, every event delivered, against what one would build
 * without us; one client alone against the function's own answer. On each Node. */
export const frontDoor: Ratio = {
  id: 'front-door',
  needs: ['pgbench', 'rabbitmq-server', 'wrk'],
  async run(bench) {
    const measured: Measurement[] = []
    for (const node of bench.nodes) measured.push(...(await measureOn(bench, node)))
    return measured
  },
}

async function measureOn(bench: Bench, node: string): Promise<Measurement[]> {
  const name = nameOfNode(node)
  const say = (sentence: string) => bench.progress.step(`front-door, ${name}: ${sentence}`)
  say('starting the whole bank')
  const whole = await startWholeBank(bench, node)
  const { databases, url } = whole
  const customers = await openAccounts(bench, databases)
  const peer = await startPeer(bench, { node, databases, accounts: customers.length * 10 })
  const pgbench = await preparePgbench(bench, databases)
  const bank: MeasuredBank = { bench, name, say, peer: peer.load, pgbench, databases, customers, url }

  const crowds: Measurement[] = []
  for (const crowd of CROWDS) crowds.push(await measureCrowd(bank, crowd))
  const lone = await measureLone(bank, () => whole.functionUrl('transfer'))
  await proveLedger(bench, databases)
  // The peer would end with an error if its database went first.
  await peer.kill()
  await whole.stop()
  return [...crowds, lone]
}

/** A whole bank, and what it is measured against. */
interface MeasuredBank {
  bench: Bench
  /** Name of the Node that all run on. */
  name: string
  say(sentence: string): void
  /** URL of the front door. */
  url: string
  peer(clients: number): Promise<LoadReport>
  pgbench: Pgbench
  databases: BenchDatabases
  customers: Customer[]
}

const lengthsOf = ({ isQuick }: Bench) =>
  isQuick ? { seconds: 2, warmupSeconds: 1 } : { seconds: SECONDS, warmupSeconds: 2 }

async function measureCrowd(
  bank: MeasuredBank,
  { clients, goal, rounds: most }: (typeof CROWDS)[number],
): Promise<Measurement> {
  const { bench, name, say } = bank
  const count = bench.isQuick ? 1 : most
  const rounds = await inTurns(
    count,
    (round) => {
      say(`round ${round + 1} of ${count}, ${clients} clients`)
      return throughFrontDoor(bank, clients)
    },
    () => {
      say(`the peer, ${clients} clients`)
      return bank.peer(clients)
    },
  )
  await settle(bank.databases)
  const tpcb = await bank.pgbench.run(lengthsOf(bench).seconds)
  const reports = rounds.map(({ ours }) => ours)
  return {
    id: `front-door-${clients}-${idOf(name)}`,
    name: `Front door, ${clients} clients, ${name} : peer`,
    unit: 'per second',
    goal: { ratio: goal, better: 'higher' },
    rounds: rounds.map(({ ours, floor }) => ({ ours: ours.perSecond, floor: floor.perSecond })),
    latency: medianLatency(reports),
    notes: [
      `the peer: p50 ${figure(median(rounds.map(({ floor }) => floor.latency.p50)))} ms; TPC-B on this Postgres: ${figure(tpcb)} per second`,
      ...notesOf(reports),
    ],
  }
}

async function measureLone(bank: MeasuredBank, functionUrl: () => string): Promise<Measurement> {
  const { bench, name, say } = bank
  const count = bench.isQuick ? 1 : LONE.rounds
  const peers: LoadReport[] = []
  const rounds = await inTurns(
    count,
    (round) => {
      say(`round ${round + 1} of ${count}, one client`)
      return throughFrontDoor(bank, 1)
    },
    async () => {
      say('one client straight at the function’s process, and at the peer')
      peers.push(await bank.peer(1))
      return deliver(bank, `${functionUrl()}/transactions`, 1)
    },
  )
  await settle(bank.databases)
  const tpcb = await bank.pgbench.run(lengthsOf(bench).seconds, 1)
  const reports = rounds.map(({ ours }) => ours)
  const [rate, peerP50] = [
    median(reports.map(({ perSecond }) => perSecond)),
    median(peers.map(({ latency }) => latency.p50)),
  ]
  return {
    id: `front-door-1-${idOf(name)}`,
    name: `Front door, one client, ${name} : the function`,
    unit: 'ms (p50)',
    goal: { ratio: LONE.goal, better: 'lower' },
    rounds: rounds.map(({ ours, floor }) => ({ ours: ours.latency.p50, floor: floor.latency.p50 })),
    latency: medianLatency(reports),
    notes: [
      `${figure(rate)} per second; the peer with one client: p50 ${figure(peerP50)} ms; TPC-B with one client: ${figure(tpcb)} per second`,
      ...notesOf(reports),
    ],
  }
}

const idOf = (name: string): string => name.toLowerCase().replace(' ', '')

type DeliveredReport = Awaited<ReturnType<typeof deliver>>

const throughFrontDoor = (bank: MeasuredBank, clients: number): Promise<DeliveredReport> =>
  deliver(bank, `${bank.url}/api/transactions`, clients)

/** Sends transfers, and waits until each has its notification. Throws if one is missing, or if the ledger
 * doesn't hold what was answered. The processor time is that of a transfer with its events, warm-up and
 * delivery included. */
async function deliver(bank: MeasuredBank, url: string, clients: number) {
  const { bench, databases, customers } = bank
  await settle(databases)
  const watch = await watchDelivery(databases)
  const before = readProcessorTime()
  const report = await load(bench, {
    url,
    connections: clients,
    ...lengthsOf(bench),
    transfers: { customers, keyPrefix: keyPrefix() },
  })
  const delivered = await watch.untilDelivered()
  // Warm-up and measurement each cut off one request per connection.
  if (delivered.count < report.succeeded || delivered.count > report.succeeded + 2 * clients)
    throw new Error(
      `THE LEDGER IS WRONG: ${report.succeeded} transfers were answered, ${delivered.count} were posted`,
    )
  return { ...report, delivered, processorTime: perPiece(before, readProcessorTime(), delivered.count) }
}

/** Starts the peer on the same Node and the same Postgres; see programs/peer.ts. */
async function startPeer(
  bench: Bench,
  { node, databases, accounts }: { node: string; databases: BenchDatabases; accounts: number },
): Promise<{ load: MeasuredBank['peer']; kill(): Promise<void> }> {
  const server = await startServer(bench, {
    script: join(bench.folder, 'peer.cjs'),
    env: { DATABASE_URL: databases.server.superuserUrl, ACCOUNTS: String(accounts) },
    node,
  })
  return {
    kill: server.kill,
    async load(clients) {
      await settle(databases)
      return load(bench, {
        url: `${server.url}/transfers`,
        connections: clients,
        ...lengthsOf(bench),
        numbered: { from: 1, to: accounts },
      })
    },
  }
}

function notesOf(reports: readonly DeliveredReport[]): string[] {
  const backlog = median(reports.map(({ delivered }) => delivered.backlog))
  const drainMs = median(reports.map(({ delivered }) => delivered.drainMs))
  return [
    `every notification was stored: at the end of a round ${figure(backlog)} events still had to be published, ${figure(drainMs / 1000)} s later none`,
    ...processorTimeNote(reports.map(({ processorTime }) => processorTime)),
  ]
}
