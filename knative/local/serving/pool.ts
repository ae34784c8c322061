import type { Log } from '../../../monitoring/log.ts'
import type { ColdStart } from './cold-start.ts'
import type { FunctionProcess } from '../processes/process.ts'

/** After this long without a crash, a process counts as healthy again. */
const SOUND_AFTER_MS = 10_000
const LONGEST_BACK_OFF_MS = 10_000
/** This many starts in a row without a first response are a crash loop. */
const CRASH_LOOP = 3
/** How long a process that must end may take to finish its requests. */
const LONGEST_DRAIN_MS = 30_000

export interface PoolOptions {
  service: string
  start: () => FunctionProcess
  log: Log
  /** Called when a process is ready for requests. */
  onReady: () => void
  /** Called if no process is starting that could serve a held request, with a sentence that says why. */
  onCrashLoop: (reason: string) => void
}

/**
 * The processes of one Service. Keeps as many as are wanted, and replaces each that crashes. On a cluster,
 * this is a Deployment.
 */
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

  /** The pids of the processes that run, also of those that start or end. */
  get pids(): number[] {
    return [...this.#all].flatMap(({ pid, runs }) => (pid !== undefined && runs ? [pid] : []))
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

  /**
   * Says why no process can be waited for, and in how many ms the next one is tried. Undefined if a process
   * is ready or starting.
   */
  get crashLoop(): { reason: string; retryInMs: number } | undefined {
    if (this.#fruitless < CRASH_LOOP || this.#starting.size > 0 || this.#ready.length > 0) return undefined
    return { reason: this.#lastReason, retryInMs: Math.max(0, this.#retryAt - performance.now()) }
  }

  /**
   * Why its processes ended as soon as they had started; undefined if one is ready. The reason stays while
   * the next process is tried, and also when none is wanted any more: only a ready process clears it.
   * Knative's Revision does the same (pkg/reconciler/revision/reconcile_resources.go in serving).
   */
  get failure(): string | undefined {
    return this.#ready.length > 0 ? undefined : this.#failure
  }

  /**
   * Returns the ready process with the fewest requests in flight; undefined if none is ready or all have
   * `limit` requests (0: no limit).
   */
  pick(limit: number): FunctionProcess | undefined {
    let best: FunctionProcess | undefined
    for (const process of this.#ready)
      if (process.runs && !process.suspect && (!best || process.inFlight < best.inFlight)) best = process
    return best && (limit === 0 || best.inFlight < limit) ? best : undefined
  }

  /**
   * Sets how many processes there should be. A process that is no longer wanted gets no new requests,
   * finishes its requests, and ends.
   */
  scaleTo(count: number): void {
    this.#wanted = count
    if (count === 0) this.#forgetCrashes()
    while (this.#starting.size + this.#ready.length > count) this.#dismissOne()
    if (this.#retry === undefined) this.#fill()
  }

  /**
   * Call this if a process broke or refused a connection, or is silent. Mostly it has crashed, and its exit
   * is known a moment later; until then it gets no requests. If it lives but refuses connections, it is
   * replaced and finishes its requests. If it is frozen, it is ended, so that its requests can go to another
   * process.
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
    this.#options.log.warn('a process is frozen and is replaced', {
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

  /** Starts the next process: at once the first time, then after longer and longer pauses, like a kubelet. */
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

/**
 * Resolves when the process has ended, or after 50 ms. That is long enough for its exit to be known after its
 * connections broke.
 */
async function settled(process: FunctionProcess): Promise<void> {
  await Promise.race([process.exited, deadline(50)])
}

function deadline(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
}
