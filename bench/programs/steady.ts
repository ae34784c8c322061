import { setTimeout as delay } from 'node:timers/promises'
import { createSend, type IncomingAnswer } from '../../functions/host/http/send.ts'
import type { SteadyJob, SteadyReport } from '../soak/steady.ts'
import { transferRequest } from '../transfer-request.ts'

/** Clients who send transfers at a steady rate, each with a key, and repeat a request until its answer is
 * final. `start` begins, `report` tells what came since the last report, and `stop` tells it once the last
 * client has its answer. */

const send = createSend(undefined, 1_000)
const REPEAT_AFTER_MS = 250
const TIMEOUT_MS = 30_000

let job: Extract<SteadyJob, { do: 'start' }>
let tokens: readonly string[]
let isOver = false
let sent = 0
let clients: Promise<void>[] = []
let report = emptyReport()

process.on('message', (given: SteadyJob) => {
  void follow(given).then(
    (answer) => process.send!(answer),
    (error: Error) => {
      console.error(error.message)
      process.exit(1)
    },
  )
})

async function follow(given: SteadyJob): Promise<SteadyReport> {
  if (given.do === 'start') {
    job = given
    tokens = given.tokens
    const everyMs = (1000 / job.perSecond) * job.clients
    const beganAt = performance.now()
    clients = Array.from({ length: job.clients }, (_, n) =>
      client(beganAt + (n / job.clients) * everyMs, everyMs),
    )
    return emptyReport()
  }
  if (given.do === 'stop') {
    isOver = true
    await Promise.all(clients)
  } else tokens = given.tokens ?? tokens
  const answer = report
  report = emptyReport()
  answer.latenciesMs.sort((a, b) => a - b)
  return answer
}

/** Sends a transfer every `everyMs`. If an answer takes longer than that, the client skips what it missed:
 * it is a customer who waits, not a backlog. */
async function client(firstAt: number, everyMs: number): Promise<void> {
  for (let dueAt = firstAt; ; dueAt += everyMs) {
    const late = performance.now() - dueAt
    if (late > everyMs) dueAt += Math.floor(late / everyMs) * everyMs
    await delay(Math.max(0, dueAt - performance.now()))
    if (isOver) return
    await transfer(sent++)
  }
}

async function transfer(n: number): Promise<void> {
  const { customers, keyPrefix, url } = job
  const customer = n % customers.length
  const accounts = customers[customer]!
  const key = `${keyPrefix}-${n}`
  const beganAt = performance.now()
  for (;;) {
    const token = tokens[customer]!
    const request = transferRequest(n, { url, token, accounts, key, timeoutMs: TIMEOUT_MS })
    const answer = await send(request).catch(() => undefined)
    if (answer?.status === 201) break
    if (answer && !isToRepeat(answer))
      throw new Error(`expected 201, got ${answer.status}: ${answer.body.toString()}`)
    report.repeated++
    await delay(REPEAT_AFTER_MS * (0.5 + Math.random()))
  }
  report.latenciesMs.push(performance.now() - beganAt)
}

const isToRepeat = ({ status, body }: IncomingAnswer): boolean =>
  status >= 500 || status === 429 || (status === 409 && body.includes('idempotency-key-in-use'))

function emptyReport(): SteadyReport {
  return { latenciesMs: [], repeated: 0 }
}
