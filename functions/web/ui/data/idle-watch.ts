/** How long a session may go unused, and what is done about it. Times are milliseconds. */
export interface IdleWatchOptions {
  /** The session ends when nobody has used it for this long; its reader is told this long before. */
  limitMs: number
  warnMs: number
  /** While it is used, it is continued at most once in this time. */
  renewMs: number
  /** Continues the session. */
  renew: () => void
  /** Resolves with when the session was last continued, by whichever tab, on the clock of this page; with
   * undefined if it has ended. Rejects if nobody knows. */
  lastRenewal: () => Promise<number | undefined>
  /** Says when the session is going to end; undefined as long as it is used. */
  tell: (endsAt: number | undefined) => void
  end: () => void
}

/** Milliseconds that the bank has to say when the session was last continued: if it is silent, the session
 * ends all the same. */
const ANSWER_MS = 15_000

/** Watches whether a session is used. The bank can't see that: most of what somebody does on a page asks the
 * bank for nothing. So the page continues the session while it is used, and if no page does, the bank ends
 * it. */
export class IdleWatch {
  readonly #options: IdleWatchOptions
  #usedAt: number
  #renewedAt: number
  #isTold = false
  #isOver = false
  #look: ReturnType<typeof setTimeout> | undefined
  #renewal: ReturnType<typeof setTimeout> | undefined

  /** `renewedAt` is when the session was last continued. The start is a use. */
  constructor(options: IdleWatchOptions, renewedAt: number) {
    this.#options = options
    this.#renewedAt = renewedAt
    this.#usedAt = Date.now()
    this.use()
    this.#wait()
  }

  /** Somebody has used the page. */
  use(): void {
    // If a computer slept, the touch that wakes it comes before its timers run.
    if (this.#isOver || this.#idleMs() >= this.#options.limitMs) return
    this.#usedAt = Date.now()
    if (this.#isTold) this.#goOn()
    const leftMs = this.#options.renewMs - Math.max(0, Date.now() - this.#renewedAt)
    if (leftMs <= 0) this.#renew()
    // Later, or the last uses would not count.
    else this.#renewal ??= setTimeout(() => this.#renew(), leftMs)
  }

  stop(): void {
    this.#isOver = true
    clearTimeout(this.#look)
    clearTimeout(this.#renewal)
  }

  #idleMs(): number {
    // If the clock was set back, nothing lasts longer.
    this.#usedAt = Math.min(this.#usedAt, Date.now())
    return Date.now() - this.#usedAt
  }

  #renew(): void {
    clearTimeout(this.#renewal)
    this.#renewal = undefined
    if (this.#idleMs() >= this.#options.limitMs) return
    this.#renewedAt = Date.now()
    this.#options.renew()
  }

  #goOn(): void {
    this.#isTold = false
    this.#options.tell(undefined)
    this.#wait()
  }

  /** Waits until the reader must be told, or until the end. */
  #wait(): void {
    const { limitMs, warnMs } = this.#options
    clearTimeout(this.#look)
    const atMs = this.#isTold ? limitMs : limitMs - warnMs
    this.#look = setTimeout(() => void this.#decide(), Math.max(0, atMs - this.#idleMs()))
  }

  async #decide(): Promise<void> {
    await this.#hearOfOthers()
    if (this.#isOver) return
    const { limitMs, warnMs, tell, end } = this.#options
    const idleMs = this.#idleMs()
    if (idleMs >= limitMs) {
      this.stop()
      tell(undefined)
      return end()
    }
    if (idleMs < limitMs - warnMs) return this.#goOn()
    this.#isTold = true
    tell(this.#usedAt + limitMs)
    this.#wait()
  }

  /** If another tab has continued the session, somebody uses it there. */
  async #hearOfOthers(): Promise<void> {
    let late: ReturnType<typeof setTimeout> | undefined
    const silence = new Promise<undefined>((resolve) => {
      late = setTimeout(() => resolve(undefined), ANSWER_MS)
    })
    try {
      const at = await Promise.race([this.#options.lastRenewal(), silence])
      // The bank tells whole seconds, and answers take time.
      if (at !== undefined && at > this.#renewedAt + 5_000) this.#usedAt = Math.max(this.#usedAt, at)
      if (at !== undefined) this.#renewedAt = Math.max(this.#renewedAt, at)
    } catch {
      // Then this tab decides alone.
    } finally {
      clearTimeout(late)
    }
  }
}
