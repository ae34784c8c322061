import { setTimeout as delay } from 'node:timers/promises'
import { createSend, type Send } from '../../functions/host/http/send.ts'
import { keyPrefix, startFunction } from '../bank.ts'
import { lengths, type Bench, type Ratio } from '../bench.ts'
import type { Customer } from '../customers.ts'
import { proveLedger, settle } from '../databases.ts'
import { perPiece, processorTimeNote, readProcessorTime, type ProcessorTime } from '../processor-time.ts'
import { inTurns } from '../rounds.ts'
import { startLedger, type LoadedLedger } from '../transfer-load.ts'

const CLIENTS = 64

/** Holds that are placed and captured at once, against two transfers: the same number of requests. The
 * clients run in this process; they cost both sides the same. */
export const holds: Ratio = {
  id: 'holds',
  needs: [],
  async run(bench) {
    const { rounds: count } = lengths(bench)
    const ledger = await startLedger(bench)
    const rounds = await inTurns(
      count,
      (round) => {
        bench.progress.step(`holds: round ${round + 1} of ${count}, hold and capture`)
        return holdAndCapture(bench, ledger)
      },
      () => {
        bench.progress.step('holds: two transfers')
        return twoTransfers(bench, ledger)
      },
    )
    await proveLedger(bench, ledger.databases)
    return [
      {
        id: 'holds',
        name: 'Hold + capture : two transfers',
        unit: 'per second',
        goal: { ratio: 0.8, better: 'higher' },
        rounds: rounds.map(({ ours, floor }) => ({ ours: ours.perSecond, floor: floor.perSecond })),
        notes: [
          `${CLIENTS} clients, each waiting for its answer`,
          ...processorTimeNote(
            rounds.map(({ ours }) => ours.processorTime),
            1,
            'a hold and its capture',
          ),
          ...processorTimeNote(
            rounds.map(({ floor }) => floor.processorTime),
            1,
            'two transfers',
          ),
        ],
      },
    ]
  },
}

interface Pairs {
  perSecond: number
  /** Of one pair. */
  processorTime: ProcessorTime
}

/** Asks one function. Resolves with the id in the answer. */
type Ask = (path: string, customer: Customer, body: object) => Promise<string>

async function holdAndCapture(bench: Bench, ledger: LoadedLedger): Promise<Pairs> {
  return runPairs(bench, ledger, ['place-hold', 'capture-hold'], ([place, capture], customer, [from, to]) =>
    place!('/holds', customer, { account_id: from, amount: '1.00' }).then((id) =>
      capture!(`/holds/${id}/capture`, customer, { to_account_id: to }),
    ),
  )
}

async function twoTransfers(bench: Bench, ledger: LoadedLedger): Promise<Pairs> {
  const body = (from: string, to: string) => ({
    type: 'transfer',
    account_id: from,
    to_account_id: to,
    amount: '1.00',
  })
  return runPairs(bench, ledger, ['transfer'], ([transfer], customer, [from, to]) =>
    transfer!('/transactions', customer, body(from, to)).then(() =>
      transfer!('/transactions', customer, body(to, from)),
    ),
  )
}

/** Runs pairs of requests from all clients. */
async function runPairs(
  bench: Bench,
  { databases, broker, customers }: LoadedLedger,
  names: readonly string[],
  pair: (asks: Ask[], customer: Customer, accounts: [string, string]) => Promise<unknown>,
): Promise<Pairs> {
  const { seconds, warmupSeconds } = lengths(bench)
  await settle(databases)
  const functions = await Promise.all(
    names.map((name) => startFunction(bench, databases, { name, brokerUrl: broker.url })),
  )
  const send = createSend(undefined, CLIENTS)
  const prefix = keyPrefix()
  let n = 0
  const asks = functions.map(
    ({ url }): Ask =>
      (path, customer, body) =>
        ask(send, url + path, customer, body, `${prefix}-${n++}`),
  )
  const beginsAt = performance.now() + warmupSeconds * 1000
  const endsAt = beginsAt + seconds * 1000
  let pairs = 0
  const client = async (_: unknown, place: number): Promise<void> => {
    for (let i = place; performance.now() < endsAt; i += CLIENTS) {
      const customer = customers[i % customers.length]!
      const { accounts } = customer
      await pair(asks, customer, [accounts[i % accounts.length]!, accounts[(i + 1) % accounts.length]!])
      const now = performance.now()
      if (now > beginsAt && now < endsAt) pairs++
    }
  }
  const clients = Array.from({ length: CLIENTS }, client)
  await delay(warmupSeconds * 1000)
  const before = readProcessorTime()
  await Promise.all(clients)
  const processorTime = perPiece(before, readProcessorTime(), pairs)
  for (const running of functions) await running.kill()
  return { perSecond: pairs / seconds, processorTime }
}

async function ask(
  send: Send,
  url: string,
  { token }: Customer,
  content: object,
  key: string,
): Promise<string> {
  const { status, body } = await send({
    url,
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, 'idempotency-key': key },
    body: JSON.stringify(content),
    timeoutMs: 10_000,
  })
  if (status !== 201) throw new Error(`expected 201, got ${status}: ${body.toString()}`)
  return (JSON.parse(body.toString()) as { id: string }).id
}
