/** The parts of a cold start, in their order. */
export type Phase = 'spawn' | 'port-open' | 'first-request' | 'first-query'

/** Milliseconds that the parts of a process's start took; what has not happened yet, or is not known, is not
 * there. Spawn, port and first request follow each other: their sum is what a caller waits who finds no
 * process. */
export interface ColdStart {
  /** Taking a port, fork and exec: a spawn returns when the new program has begun (libuv waits for its
   * exec). */
  spawnMs?: number
  /** From there until it accepted a connection. */
  portOpenMs?: number
  /** What the function tells of the same time, by its own clock: until Node ran its code, and from there
   * until its port was open. Together about portOpenMs; each side sees exec and open port a moment sooner or
   * later than the other. */
  bootMs?: number
  loadMs?: number
  /** From sending its first request until the response begins. */
  firstRequestMs?: number
  /** From asking the database for the first time until its answer, connecting included; as the function
   * tells. Nearly always a part of firstRequestMs. */
  firstQueryMs?: number
}

export interface ColdStartOptions {
  service: string
  /** Called once for each phase, when it is over and known; with all that is known by then. */
  onPhase: (phase: Phase, ms: number, soFar: Readonly<ColdStart>) => void
}

/** Times the start of one process; begins when it is made. A start that doesn't come to an open port reports
 * nothing. */
export class ColdStartWatch {
  readonly coldStart: ColdStart = {}
  readonly #options: ColdStartOptions
  #since = performance.now()

  constructor(options: ColdStartOptions) {
    this.#options = options
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
   * A response of the process begins.
   * @param sentAt when its request was sent
   * @param told its Server-Timing, by which a function tells of its own start (see
   *   functions/host/start/start-timing.ts)
   * @returns the Server-Timing for the caller: on the first response it also has what was measured here
   */
  responseBegins(sentAt: number, told: string | undefined): string | undefined {
    const { coldStart } = this
    const isFirst = coldStart.firstRequestMs === undefined
    if (!isFirst && told === undefined) return undefined
    if (isFirst) coldStart.firstRequestMs = performance.now() - sentAt
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

/** The durations in a Server-Timing header that are about `service`: an answer that was passed on may have
 * those of other functions too. */
function durationsOf(service: string, header: string): Partial<Record<string, number>> {
  const metrics = header.matchAll(/([\w-]+);dur=(\d+(?:\.\d+)?);desc="([\w-]*)"/g)
  return Object.fromEntries(
    [...metrics].flatMap(([, name, ms, about]) => (about === service ? [[name, Number(ms)]] : [])),
  )
}
