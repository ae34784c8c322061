import type { Log } from '../../../monitoring/log.ts'

export interface Undo {
  /** Adds how to end what has just been started. */
  add(step: () => unknown): void
  /** Runs each step, the last one first, even after a step that failed. A second call waits for the first. */
  run(): Promise<void>
}

/**
 * Creates a list of what has been started and how to end it. Everything ends in the opposite order, even if
 * the start was only partly done.
 */
export function createUndo(log: Log): Undo {
  const steps: (() => unknown)[] = []
  let running: Promise<void> | undefined

  const runAll = async (): Promise<void> => {
    for (const step of steps.reverse())
      try {
        await step()
      } catch (error) {
        log.error('a part could not be stopped in order', { error: String(error) })
      }
  }
  return {
    add: (step) => void steps.push(step),
    run: () => (running ??= runAll()),
  }
}
