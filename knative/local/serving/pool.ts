import type { Log } from '../../../monitoring/log.ts'
import type { ColdStart } from './cold-start.ts'
import type { FunctionProcess } from '../processes/process.ts'

/** After this long without a crash a process counts as sound again. */
const SOUND_AFTER_MS = 10_000
const LONGEST_BACK_OFF_MS = 10_000
/** So many starts in a row that never came to a first response are a crash loop. */
const CRASH_LOOP = 3
/** How long a process that is to go may take with the requests it has. */
const LONGEST_DRAIN_MS = 30_000

export interface PoolOptions {
  service: string
  start: () => FunctionProcess
  log: Log
  /** A process is ready for requests. */
  onReady: () => void
  /** Nothing that would serve a held request is starting: a sentence why. */
  onCrashLoop: (reason: string) => void
}

/** The processes of one Service: as many as are wanted, each that crashes replaced. On a cluster, a
 * Deployment. */
export class ProcessPool {
  readonly #options: PoolOptions
  #wanted = 0
  #starting = new Set<FunctionProcess>()
  #ready: FunctionProcess[] = []
  #leaving = new Set<Promise<void>>()
  #all = new Set<FunctionProcess>()
  #crashes = 0
  #fruitless = 0
  #retry: NodeJS.Timeout | undefined
  #retryAt = 0
  #lastReason = ''
  #failure: string | undefined
  coldStarts = 0
  lastColdStart: FunctionProcess | undefined

  constructor(options: PoolOptions) {
    this.#options = options
  }

  get wanted(): number {
    return this.#wanted
  }

  get readyCount(): number {
    return this.#ready.length
  }

  get startingCount(): number {
    return this.#starting.size
  }

  get coldStart(): ColdStart | undefined {
    return this.lastColdStart?.coldStart
  }

  /** Why there is no process to wait for, and for how long; undefined where there is one or will be at
   * once. */
  get crashLoop(): { reason: string; retryInMs: number } | undefined {
    if (this.#fruitless < CRASH_LOOP || this.#starting.size > 0 || this.#ready.length > 0) return undefined
    return { reason: this.#lastReason, retryInMs: Math.max(0, this.#retryAt - performance.now()) }
  }

  /** Why its processes ended as soon as they had started; undefined where one is ready. It stays while the
   * next is tried and when nothing is wanted any more, as with Knative's Revision
   * (pkg/reconciler/revision/reconcile_resources.go in serving): only a process that is ready refutes it. */
  get failure(): string | undefined {
    return this.#ready.length > 0 ? undefined : this.#failure
  }

  /** The ready process with the fewest requests in flight, unless all have `limit` (0: no limit). */
  pick(limit: number): FunctionProcess | undefined {
    let best: FunctionProcess | undefined
    for (const process of this.#ready)
      if (process.runs && !process.suspect && (!best || process.inFlight < best.inFlight)) best = process
    return best && (limit === 0 || best.inFlight < limit) ? best : undefined
  }

  /** Sets how many processes there should be. Those that are too many get no new requests, finish the ones
   * they have, and end. */
  scaleTo(count: number): void {
    this.#wanted = count
    if (count === 0) this.#forgetCrashes()
    while (this.#starting.size + this.#ready.length > count) this.#dismissOne()
    if (this.#retry === undefined) this.#fill()
  }

  /**
   * A process broke a connection, refused one, or is silent. Mostly it has crashed, and its exit will be
   * known in a moment; until then it gets nothing. One that lives on but takes no connections is replaced and
   * finishes what it has; one that stands still is ended, so that its requests can go elsewhere.
   */
  suspect(process: FunctionProcess, why: 'broken' | 'silent'): void {
    if (process.suspect) return
    process.suspect = true
    void (why === 'broken' ? settled(process) : Promise.resolve()).then(async () => {
      if (!process.runs) return
      const life = await process.askForLife()
      if (!process.runs) return
      if (life === 'silent') this.#endFrozen(process)
      if (!this.#ready.includes(process)) return this.#fill()
      if (life === 'refuses') {
        this.#dismiss(process)
        return this.#fill()
      }
      process.suspect = false
      this.#options.onReady()
    })
  }

  #endFrozen(process: FunctionProcess): void {
    this.#ready = this.#ready.filter((other) => other !== process)
    this.#options.log.warn('a process stands still and is replaced', {
      pid: process.pid,
      requests: process.inFlight,
    })
    process.isFrozen = true
    process.kill()
  }

  endStreams(): void {
    for (const process of this.#ready) process.endStreams()
  }

  /** Ends all processes, each when its requests are finished. */
  async stop(): Promise<void> {
    this.scaleTo(0)
    await Promise.all(this.#leaving)
  }

  /** SIGKILL for all, at once. */
  kill(): void {
    this.#wanted = 0
    clearTimeout(this.#retry)
    for (const process of this.#all) process.kill()
  }

  #fill(): void {
    while (this.#starting.size + this.#ready.length < this.#wanted) this.#startOne()
  }

  #startOne(): void {
    const process = this.#options.start()
    process.onSilent = () => this.suspect(process, 'silent')
    this.#all.add(process)
    this.#starting.add(process)
    const started = performance.now()
    process.ready.then(
      () => {
        if (!this.#starting.delete(process)) return
        this.#ready.push(process)
        this.#failure = undefined
        this.coldStarts++
        this.lastColdStart = process
        this.#options.onReady()
      },
      (error: Error) => this.#crashed(process, error.message, started),
    )
    void process.exited.then(({ reason }) => {
      this.#all.delete(process)
      this.#crashed(process, reason, started)
    })
  }

  #crashed(process: FunctionProcess, reason: string, started: number): void {
    const served = this.#ready.includes(process)
    if (!served && !this.#starting.has(process)) return
    this.#starting.delete(process)
    this.#ready = this.#ready.filter((other) => other !== process)
    if (served && performance.now() - started > SOUND_AFTER_MS) this.#crashes = 0
    this.#crashes++
    this.#fruitless = process.responses > 0 ? 0 : this.#fruitless + 1
    this.#lastReason = reason
    if (this.#fruitless >= CRASH_LOOP) this.#failure = reason
    this.#options.log.warn('a process ended by itself', { pid: process.pid, reason })
    this.#replace()
  }

  /** At once the first time; then, like a kubelet, ever later. */
  #replace(): void {
    if (this.#retry !== undefined || this.#wanted === 0) return
    const delayMs = this.#crashes <= 1 ? 0 : Math.min(100 * 2 ** (this.#crashes - 2), LONGEST_BACK_OFF_MS)
    this.#retryAt = performance.now() + delayMs
    if (delayMs === 0) this.#fill()
    else
      this.#retry = setTimeout(() => {
        this.#retry = undefined
        this.#fill()
      }, delayMs)
    if (this.crashLoop) this.#options.onCrashLoop(this.#lastReason)
  }

  #forgetCrashes(): void {
    clearTimeout(this.#retry)
    this.#retry = undefined
    this.#crashes = 0
    this.#fruitless = 0
  }

  #dismissOne(): void {
    const [starting] = this.#starting
    const idlest = this.#ready.reduce<FunctionProcess | undefined>(
      (best, process) => (!best || process.inFlight <= best.inFlight ? process : best),
      undefined,
    )
    this.#dismiss((starting ?? idlest)!)
  }

  #dismiss(process: FunctionProcess): void {
    this.#starting.delete(process)
    this.#ready = this.#ready.filter((other) => other !== process)
    const left = drained(process)
      .then(() => process.stop())
      .finally(() => this.#leaving.delete(left))
    this.#leaving.add(left)
  }
}

async function drained(process: FunctionProcess): Promise<void> {
  process.endStreams()
  if (process.inFlight === 0) return
  await Promise.race([process.idle(), process.exited, deadline(LONGEST_DRAIN_MS)])
}

/** Long enough for the exit of a process to be known after its connections broke. */
async function settled(process: FunctionProcess): Promise<void> {
  await Promise.race([process.exited, deadline(50)])
}

function deadline(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
}
