import type { StartRecord } from './cold-start.ts'

/** How many starts of a bank are kept. A record is some 300 bytes. */
const KEPT_MAX = 50

/** The last cold starts of a bank, of all its functions. */
export class RecentStarts {
  #kept: Readonly<StartRecord>[] = []

  /** Call this when the process has opened its port. Later phases of the record appear by themselves. */
  add(record: Readonly<StartRecord>): void {
    this.#kept = [record, ...this.#kept.slice(0, KEPT_MAX - 1)]
  }

  /** The newest first. */
  list(): readonly Readonly<StartRecord>[] {
    return this.#kept
  }
}
