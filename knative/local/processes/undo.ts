import type { Log } from '../../../monitoring/log.ts'

/**
 * A list of what has been started and how to end it. Everything ends in the opposite order, even if the start
 * was only partly done.
 */
export class Undo {
  readonly #log: Log
  #steps: (() => unknown)[] = []
  #running: Promise<void> | undefined

  constructor(log: Log) {
    this.#log = log
  }

  add(step: () => unknown): void {
    this.#steps.push(step)
  }

  /** Runs each step, even after a step that failed. A second call waits for the first. */
  run(): Promise<void> {
    this.#running ??= this.#runAll()
    return this.#running
  }

  async #runAll(): Promise<void> {
    for (const step of this.#steps.reverse())
      try {
        await step()
      } catch (error) {
        this.#log.error('a part could not be stopped in order', { error: String(error) })
      }
  }
}
