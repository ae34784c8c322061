import type { Log } from '../../../monitoring/log.ts'

/** What has been started and how it ends, so that everything ends in the opposite order, whether all of the
 * start or only a part of it has happened. */
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

  /** Runs each step, also after one that failed. A second call waits for the first. */
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
