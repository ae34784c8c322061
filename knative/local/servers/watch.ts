import { connect as openAmqp } from 'amqplib'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Log } from '../../../monitoring/log.ts'

export interface WatchedServer {
  name: string
  /** Whether it answers now. May take any time. If it throws, that counts as no. */
  answers: () => Promise<boolean>
  /** Resolves when it has ended, which ends the watch. */
  exited: Promise<unknown>
  /** Ends it by force. `keepAlive` then starts it again. */
  end: () => void
  log: Log
  everyMs?: number
  /** How long it may be silent. */
  silentMsMax?: number
}

const EVERY_MS = 10_000
const SILENT_MS_MAX = 40_000
/**
 * At least this many answers in a row must be missing, however long the silence was: the runtime itself may
 * have been stopped or asleep.
 */
const MISSING_MIN = 3

/**
 * Watches a server and ends it if it runs but no longer answers: it is frozen, or a full disk broke it.
 * Waiting for its exit would never notice that.
 */
export function watch(watched: WatchedServer): void {
  const { everyMs = EVERY_MS, silentMsMax = SILENT_MS_MAX } = watched
  let running = true
  void watched.exited.then(() => (running = false))
  void (async () => {
    let answeredAt = performance.now()
    for (let missing = 0; running;) {
      await delay(everyMs, undefined, { ref: false })
      if (await saysYes(watched.answers, everyMs)) {
        missing = 0
        answeredAt = performance.now()
        continue
      }
      missing++
      const silentMs = performance.now() - answeredAt
      if (!running || missing < MISSING_MIN || silentMs < silentMsMax) continue
      watched.log.error(
        `${watched.name} runs but has not answered for ${Math.round(silentMs / 1000)} s: it is ended`,
      )
      return watched.end()
    }
  })()
}

async function saysYes(asks: () => Promise<boolean>, timeoutMs: number): Promise<boolean> {
  const late = delay(timeoutMs, false, { ref: false })
  return Promise.race([asks().catch(() => false), late])
}

/**
 * Whether Postgres answers a request for TLS. Every connection may start with one, it needs no password, and
 * the server starts a process for it (PostgreSQL documentation, 'SSL Session Encryption').
 */
export function postgresAnswers(port: number): Promise<boolean> {
  const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => void socket.write(SSL_REQUEST))
    const settle = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(5_000, () => settle(false))
    socket.once('data', () => settle(true))
    socket.once('error', () => settle(false))
    socket.once('close', () => settle(false))
  })
}

/**
 * Whether RabbitMQ stores a message in a quorum queue. If a write fails on a full disk, RabbitMQ still
 * accepts connections and messages, but never confirms a message again, because its raft log has ended
 * (ra_log_wal). A node that blocks publishers because of its own disk alarm counts as answering: it continues
 * by itself.
 */
export async function rabbitmqAnswers(url: string): Promise<boolean> {
  const connection = await openAmqp(url, { timeout: 5_000 })
  try {
    const blocked = new Promise<true>((resolve) => connection.once('blocked', () => resolve(true)))
    connection.on('error', () => {})
    const channel = await connection.createConfirmChannel()
    channel.on('error', () => {})
    const options = { durable: true, arguments: { 'x-queue-type': 'quorum', 'x-max-length': 1 } }
    const stored = async (): Promise<boolean> => {
      await channel.assertQueue(PROBE_QUEUE, options)
      channel.sendToQueue(PROBE_QUEUE, Buffer.from('?'), { persistent: true })
      await channel.waitForConfirms()
      return true
    }
    return await Promise.race([stored(), blocked, delay(8_000, false, { ref: false })])
  } finally {
    void connection.close().catch(() => {})
  }
}

const PROBE_QUEUE = 'microbank.probe'

/**
 * What users of a server tell about it. A node whose log failed on a full disk may answer the probe, whose
 * queue is well, and leave the events of another queue unconfirmed for ever.
 */
export class Doubts {
  #since: number[] = []

  add(): void {
    this.#since = [...this.#since, performance.now()].slice(-DOUBTS_MIN)
  }

  get areMany(): boolean {
    const [[first], now] = [this.#since, performance.now()]
    const isFresh = now - this.#since.at(-1)! < FRESH_MS_MAX
    return this.#since.length === DOUBTS_MIN && isFresh && now - first! < DOUBTS_MS_MAX
  }
}

/** One may come from a machine that stood still. */
const DOUBTS_MIN = 3
const DOUBTS_MS_MAX = 600_000
/** Longer than it takes to connect, fail and try again. A server that is well again gives no more doubts. */
const FRESH_MS_MAX = 60_000
