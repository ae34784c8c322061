import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Log } from '../../../monitoring/log.ts'
import { PAUSED_MS_MAX } from '../../../functions/host/http/answer-watch.ts'
import { refusalOf, type Outcome } from '../../../functions/host/http/outcome.ts'
import { CALM, clamp, ConcurrencyMeter, decide } from './autoscaler.ts'
import type { ColdStart } from './cold-start.ts'
import { ProcessPool } from './pool.ts'
import { answerProblem, answerReply, gatewayProblems } from '../gateway/problem.ts'
import type { FunctionProcess } from '../processes/process.ts'
import { forward, forwardedHeaders } from '../gateway/proxy.ts'
import type { ServiceManifest } from '../manifests/service-manifest.ts'
import { WaitingLine, type WaitingRequest } from './waiting-line.ts'

/** A Service without a max-scale gets at most this many processes, because this is one machine. */
const PROCESSES_MAX = 10
/** The most requests that one Service holds while its processes start. More are refused with 503. */
const HELD_MAX = 1000
/**
 * Together with a function's own time, this must be less than the front door's time-out. Then the innermost
 * hop that waits in vain answers first, and its answer names the function.
 */
const HELD_MS_MAX = 20_000
/** Outcomes after which the process may be broken. */
const BROKEN = new Set<Outcome['kind']>(['unsent', 'lost', 'broken-off'])
/**
 * The most attempts for a request. It is only tried again if nothing has been done yet, or if it may be done
 * twice.
 */
const ATTEMPTS_MAX = 5
const READS_MAX = 3
const SHUTTING_DOWN = 'The bank is shutting down.'
const BODY_BYTES_MAX = 32 * 1024 * 1024
/** Knative's autoscaler decides every 2 s, with its window of 60 s. */
const LOOKS_PER_WINDOW = 30

export interface ServiceOptions {
  manifest: ServiceManifest
  startProcess: () => FunctionProcess
  log: Log
}

export interface ServiceStatus {
  name: string
  clusterLocal: boolean
  ready: boolean
  reason: string
  processes: number
  starting: number
  /** How many processes there should be. */
  wanted: number
  /**
   * Whether the processes of initial-scale have been ready. From then on, a cluster would give it traffic.
   */
  initialized: boolean
  minScale: number
  maxScale: number
  inFlight: number
  held: number
  coldStarts: number
  lastColdStart: ColdStart | undefined
}

/**
 * One Knative Service. Holds requests while a process starts, gives them to processes, and has as many
 * processes as the load needs. On a cluster, activator, queue-proxy and autoscaler do this.
 */
export class Service {
  readonly manifest: ServiceManifest
  readonly #log: Log
  readonly #pool: ProcessPool
  readonly #meter: ConcurrencyMeter
  readonly #held = new WaitingLine()
  #scaler = CALM
  #timer: NodeJS.Timeout | undefined
  #activeSince = 0
  #stopping = false

  constructor({ manifest, startProcess, log }: ServiceOptions) {
    const { scaling } = manifest
    this.manifest = { ...manifest, scaling: { ...scaling, maxScale: scaling.maxScale || PROCESSES_MAX } }
    this.#log = log.with({ service: manifest.name })
    this.#meter = new ConcurrencyMeter(scaling.windowMs, performance.now())
    this.#pool = new ProcessPool({
      service: manifest.name,
      start: startProcess,
      log: this.#log,
      onReady: () => this.#serveHeld(),
      onCrashLoop: () => this.#refuseHeld(),
    })
  }

  /** Starts the first processes: initial-scale or min-scale, whichever is larger. */
  start(): void {
    this.#scaleTo(this.#initialScale)
  }

  /**
   * Handles a request with one of the processes. Every request gets an answer.
   * @param trusted whether it came from one of the bank's own functions (see forwardedHeaders)
   */
  handle(request: IncomingMessage, response: ServerResponse, trusted: boolean): void {
    this.#meter.change(1, performance.now())
    response.once('close', () => this.#meter.change(-1, performance.now()))
    const caller = { request, response, trusted, attempts: 0 }
    if (Number(request.headers['content-length'] ?? 0) > BODY_BYTES_MAX)
      this.#conclude(caller, { kind: 'too-large' })
    else this.#dispatch(caller)
  }

  status(): ServiceStatus {
    const { manifest } = this
    const { failure } = this.#pool
    return {
      name: manifest.name,
      clusterLocal: manifest.clusterLocal,
      ready: failure === undefined,
      reason: failure ?? '',
      processes: this.#pool.readyCount,
      starting: this.#pool.startingCount,
      wanted: this.#pool.wanted,
      initialized: this.#pool.coldStarts >= this.#initialScale,
      minScale: manifest.scaling.minScale,
      maxScale: manifest.scaling.maxScale,
      inFlight: this.#meter.current,
      held: this.#held.length,
      coldStarts: this.#pool.coldStarts,
      lastColdStart: this.#pool.coldStart,
    }
  }

  /** The pids of its processes. */
  get pids(): number[] {
    return this.#pool.pids
  }

  /** Refuses new requests, finishes those that are open, and ends the processes. */
  async stop(): Promise<void> {
    this.#stopping = true
    clearInterval(this.#timer)
    for (const caller of this.#held.dissolve()) this.#refuse(caller, SHUTTING_DOWN, 5)
    await this.#pool.stop()
  }

  /** Ends the answers without an end (Server-Sent Events). Their clients connect again. */
  endStreams(): void {
    this.#pool.endStreams()
  }

  kill(): void {
    this.#stopping = true
    clearInterval(this.#timer)
    this.#pool.kill()
  }

  get #initialScale(): number {
    return clamp(this.manifest.scaling, this.manifest.scaling.initialScale)
  }

  #dispatch(caller: WaitingRequest): void {
    if (this.#stopping) return this.#refuse(caller, SHUTTING_DOWN, 5)
    // Held requests are older, so they go first.
    const process = this.#held.length === 0 ? this.#pool.pick(this.manifest.containerConcurrency) : undefined
    if (process) this.#send(caller, process)
    else this.#hold(caller)
  }

  #hold(caller: WaitingRequest): void {
    const { name, scaling } = this.manifest
    const { crashLoop } = this.#pool
    if (crashLoop) return this.#refuseCrashing(caller)
    if (this.#held.length >= HELD_MAX)
      return this.#refuse(caller, `${name} already has ${HELD_MAX} waiting requests.`, 1)
    const tooLong = `${name} had no process for this request within ${HELD_MS_MAX / 1000} s.`
    const leftMs = (caller.deadline ?? Infinity) - performance.now()
    this.#held.join(caller, Math.min(HELD_MS_MAX, leftMs), () => this.#refuse(caller, tooLong, 5))
    if (this.#pool.wanted === 0) this.#scaleTo(clamp(scaling, Math.max(1, scaling.activationScale)))
  }

  #serveHeld(): void {
    for (let caller = this.#held.first; caller; caller = this.#held.first) {
      const process = this.#pool.pick(this.manifest.containerConcurrency)
      if (!process) return
      this.#held.leave(caller)
      this.#send(caller, process)
    }
  }

  #refuseHeld(): void {
    for (const caller of this.#held.dissolve()) this.#refuseCrashing(caller)
  }

  #send(caller: WaitingRequest, process: FunctionProcess): void {
    caller.attempts++
    process.begin()
    const { timeoutMs, responseStartMs, idleMs } = this.manifest
    const now = performance.now()
    const options = {
      headers: forwardedHeaders(caller.request, caller.trusted),
      timeoutMs: Math.max(1, (caller.deadline ??= now + (responseStartMs ?? timeoutMs)) - now),
      ...(responseStartMs !== undefined && {
        streamLimits: { totalMs: timeoutMs, silentMs: idleMs ?? timeoutMs, pausedMs: PAUSED_MS_MAX },
      }),
      bodyBytesMax: BODY_BYTES_MAX,
    }
    void forward(caller.request, caller.response, process, options).then((outcome) => {
      process.end()
      if (outcome.kind === 'timed-out') this.#pool.suspect(process, 'silent')
      else if (BROKEN.has(outcome.kind)) this.#pool.suspect(process, 'broken')
      if (this.#mayRepeat(caller, outcome)) this.#dispatch(caller)
      else this.#conclude(caller, outcome, process.isFrozen)
      if (this.#held.length > 0) this.#serveHeld()
    })
  }

  /**
   * Whether a request may be sent again. A request that may have been done must not be repeated: it could
   * move money twice. Reading is always safe.
   */
  #mayRepeat({ request, attempts }: WaitingRequest, outcome: Outcome): boolean {
    if (attempts >= ATTEMPTS_MAX) return false
    // GET and HEAD have no body: the router refuses those that do.
    const reads = request.method === 'GET' || request.method === 'HEAD'
    return outcome.kind === 'unsent' || (outcome.kind === 'lost' && reads && attempts < READS_MAX)
  }

  #conclude({ request, response }: WaitingRequest, outcome: Outcome, isFrozen = false): void {
    if (outcome.kind === 'answered' || outcome.kind === 'client-gone' || outcome.kind === 'broken-off') return
    // The gateway ended the process because it was silent. To the caller, it was too slow.
    const told = isFrozen && outcome.kind === 'lost' ? ({ kind: 'timed-out' } as const) : outcome
    answerReply(request, response, refusalOf(told, this.manifest.name))
  }

  #refuse(
    { request, response }: Pick<WaitingRequest, 'request' | 'response'>,
    detail: string,
    retryAfterSeconds: number,
  ): void {
    answerProblem(request, response, gatewayProblems.unavailable, detail, {
      'retry-after': String(retryAfterSeconds),
    })
  }

  #refuseCrashing(caller: WaitingRequest): void {
    const seconds = Math.max(1, Math.ceil((this.#pool.crashLoop?.retryInMs ?? 0) / 1000))
    // The reason may contain addresses and settings, so only the operator may see it.
    const detail = `${this.manifest.name} can't be started: its process keeps ending; \`npm run ps\` says why.`
    this.#refuse(caller, detail, seconds)
  }

  #scaleTo(scale: number): void {
    if (this.#pool.wanted === 0) this.#activeSince = performance.now()
    if (scale !== this.#pool.wanted)
      this.#log.debug('scales', { from: this.#pool.wanted, to: scale, requests: this.#meter.current })
    this.#pool.scaleTo(scale)
    // A Service without processes has no timer, so a bank that nobody calls costs nothing.
    if (scale === 0) this.#rest()
    else
      this.#timer ??= setInterval(
        () => this.#look(),
        Math.max(20, this.manifest.scaling.windowMs / LOOKS_PER_WINDOW),
      )
  }

  #rest(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#scaler = CALM
  }

  #look(): void {
    const now = performance.now()
    const { windowMs, panicWindowMs } = this.manifest.scaling
    const seen = {
      now,
      ready: this.#pool.readyCount,
      stable: this.#meter.average(windowMs, now),
      panic: this.#meter.average(panicWindowMs, now),
      activeMs: now - this.#activeSince,
    }
    const { scale, state } = decide(this.manifest.scaling, this.#scaler, seen)
    this.#scaler = state
    this.#scaleTo(scale)
  }
}
