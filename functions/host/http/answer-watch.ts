/** Limits of an answer that comes piece by piece. */
export interface StreamLimits {
  /** Milliseconds from the first piece of the answer to its end. */
  totalMs: number
  /** Milliseconds without a piece, while the client takes all that comes. */
  silentMs: number
}

/** Watches an answer that comes piece by piece. A pause by the client is not the function's silence. */
export class AnswerWatch {
  readonly #limits: StreamLimits
  readonly #onLate: () => void
  readonly #deadline: number
  #heardAt = performance.now()
  #isPaused = false
  #timer: NodeJS.Timeout

  /** `onLate` is called once, if the answer takes too long or falls silent. */
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
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
    this.heard()
  }

  end(): void {
    clearTimeout(this.#timer)
  }

  #wait(): NodeJS.Timeout {
    const now = performance.now()
    const silentAt = (this.#isPaused ? now : this.#heardAt) + this.#limits.silentMs
    return setTimeout(() => this.#look(), Math.min(silentAt, this.#deadline) - now)
  }

  #look(): void {
    const now = performance.now()
    const isSilent = !this.#isPaused && now >= this.#heardAt + this.#limits.silentMs
    if (isSilent || now >= this.#deadline) this.#onLate()
    else this.#timer = this.#wait()
  }
}
