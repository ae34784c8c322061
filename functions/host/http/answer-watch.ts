/** Limits of an answer that comes piece by piece. */
export interface StreamLimits {
  /** Milliseconds from the first piece of the answer to its end. */
  totalMs: number
  /** Milliseconds without a piece, while the client takes all that comes. */
  silentMs: number
  /** Milliseconds in which the client must take a piece, mostly one of 64 KB. Without it, who takes nothing
   * would hold a connection until totalMs. */
  pausedMs: number
}

/** More than a function waits for its client (20 s, streamed-answer.ts), so that it is the function that
 * breaks off where it can tell, and logs why. It can't if the hops hold the rest of its answer. */
export const PAUSED_MS_MAX = 25_000

/** Watches an answer that comes piece by piece. A pause by the client is not the function's silence, and
 * has a limit of its own. */
export class AnswerWatch {
  readonly #limits: StreamLimits
  readonly #onLate: () => void
  readonly #deadline: number
  #heardAt = performance.now()
  /** When the client last stopped taking what came; undefined while it takes all. */
  #pausedAt: number | undefined
  #timer: NodeJS.Timeout

  /** `onLate` is called once, if the answer takes too long, falls silent, or is not taken. */
  constructor(limits: StreamLimits, onLate: () => void) {
    this.#limits = limits
    this.#onLate = onLate
    this.#deadline = this.#heardAt + limits.totalMs
    this.#timer = this.#wait()
  }

  heard(): void {
    this.#heardAt = performance.now()
  }

  pause(): void {
    this.#pausedAt = performance.now()
  }

  resume(): void {
    this.#pausedAt = undefined
    this.heard()
  }

  end(): void {
    clearTimeout(this.#timer)
  }

  /** The next moment at which the answer is late, as far as is known now. */
  get #lateAt(): number {
    const { silentMs, pausedMs } = this.#limits
    const stuckAt = this.#pausedAt === undefined ? this.#heardAt + silentMs : this.#pausedAt + pausedMs
    return Math.min(stuckAt, this.#deadline)
  }

  #wait(): NodeJS.Timeout {
    const { silentMs, pausedMs } = this.#limits
    const leftMs = this.#lateAt - performance.now()
    // It may pause, or go on, at any moment.
    return setTimeout(() => this.#look(), Math.min(leftMs, silentMs, pausedMs))
  }

  #look(): void {
    if (performance.now() >= this.#lateAt) this.#onLate()
    else this.#timer = this.#wait()
  }
}
