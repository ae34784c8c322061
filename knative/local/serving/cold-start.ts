/** The phases of a cold start, in their order. */
export type Phase = 'spawn' | 'port-open' | 'first-request' | 'first-query'

/**
 * How many milliseconds each phase of a process's start took. A phase that has not happened yet, or is not
 * known, is missing. Spawn, port and first request follow each other: their sum is the wait of a caller who
 * finds no process.
 */
export interface ColdStart {
  /**
   * Taking a port, fork and exec. A spawn returns when the new program has begun (libuv waits for its exec).
   */
  spawnMs?: number
  /** From the spawn until the process accepted a connection. */
  portOpenMs?: number
  /**
   * The same time as the function reports it, by its own clock: until Node ran its code (boot), and from
   * there until its port was open (load). Their sum is about portOpenMs, because each side notices the exec
   * and the open port a moment earlier or later than the other.
   */
  bootMs?: number
  loadMs?: number
  /** From sending the first request until its response begins. */
  firstRequestMs?: number
  /**
   * From the first query until the database's answer, including the connection, as the function reports it.
   * Nearly always a part of firstRequestMs.
   */
  firstQueryMs?: number
}

/** The start of one process, as it is kept. Its phases are filled in when they are over. */
export interface StartRecord {
  service: string
  /** When the process was asked for: ISO 8601, UTC. */
  startedAt: string
  /**
   * From the open port until the first request was sent: next to nothing if a caller waited for the process,
   * and any time if it was started in advance. Undefined until there was a request.
   */
  idleMs?: number
  phases: Readonly<ColdStart>
}

export interface ColdStartOptions {
  service: string
  /** Called once for each phase when it is over and its time is known, with all times that are known then. */
  onPhase: (phase: Phase, ms: number, soFar: Readonly<ColdStart>) => void
}

/**
 * Times the start of one process. The time runs from the creation of this object. If the process never opens
 * its port, nothing is reported.
 */
export class ColdStartWatch {
  readonly coldStart: ColdStart = {}
  readonly record: StartRecord
  readonly #options: ColdStartOptions
  #since = performance.now()

  constructor(options: ColdStartOptions) {
    this.#options = options
    this.record = {
      service: options.service,
      startedAt: new Date().toISOString(),
      phases: this.coldStart,
    }
  }

  spawned(): void {
    this.coldStart.spawnMs = this.#lap()
  }

  portOpened(): void {
    this.coldStart.portOpenMs = this.#lap()
    this.#report('spawn', this.coldStart.spawnMs)
    this.#report('port-open', this.coldStart.portOpenMs)
  }

  /**
   * Call this when a response of the process begins.
   * @param sentAt when its request was sent, by performance.now()
   * @param told its Server-Timing header, in which a function reports its own start (see
   *   functions/host/start/start-timing.ts)
   * @returns the Server-Timing header for the caller; on the first response it also has the times measured
   *   here
   */
  responseBegins(sentAt: number, told: string | undefined): string | undefined {
    const { coldStart } = this
    const isFirst = coldStart.firstRequestMs === undefined
    if (!isFirst && told === undefined) return undefined
    if (isFirst) {
      coldStart.firstRequestMs = performance.now() - sentAt
      this.record.idleMs = Math.max(0, sentAt - this.#since)
    }
    const { boot, load, db } = durationsOf(this.#options.service, told ?? '')
    if (boot !== undefined) coldStart.bootMs ??= boot
    if (load !== undefined) coldStart.loadMs ??= load
    const isFirstQuery = db !== undefined && coldStart.firstQueryMs === undefined
    if (isFirstQuery) coldStart.firstQueryMs = db
    if (isFirst) this.#report('first-request', coldStart.firstRequestMs)
    if (isFirstQuery) this.#report('first-query', db)
    return isFirst ? [this.#measured(), told].filter(Boolean).join(', ') : told
  }

  #measured(): string {
    const { spawnMs = 0, portOpenMs = 0 } = this.coldStart
    const entry = (name: string, ms: number) => `${name};dur=${ms.toFixed(1)};desc="${this.#options.service}"`
    return `${entry('spawn', spawnMs)}, ${entry('port-open', portOpenMs)}`
  }

  #lap(): number {
    const now = performance.now()
    const ms = now - this.#since
    this.#since = now
    return ms
  }

  #report(phase: Phase, ms = 0): void {
    this.#options.onPhase(phase, ms, this.coldStart)
  }
}

/**
 * The durations in a Server-Timing header that are about `service`. An answer that was passed on may also
 * have those of other functions.
 */
function durationsOf(service: string, header: string): Partial<Record<string, number>> {
  const metrics = header.matchAll(/([\w-]+);dur=(\d+(?:\.\d+)?);desc="([\w-]*)"/g)
  return Object.fromEntries(
    [...metrics].flatMap(([, name, ms, about]) => (about === service ? [[name, Number(ms)]] : [])),
  )
}
