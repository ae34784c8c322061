/** Counts how many places each holder has taken, and gives nobody more than `eachMax`. So one holder can't
 * use up what all share. */
export class Places {
  readonly #eachMax: number
  readonly #taken = new Map<string, number>()

  constructor(eachMax: number) {
    this.#eachMax = eachMax
  }

  /** Takes a place. Returns how to give it back, which may be called more than once; undefined if the holder
   * has as many as they may. */
  take(holder: string): (() => void) | undefined {
    const taken = this.#taken.get(holder) ?? 0
    if (taken >= this.#eachMax) return undefined
    this.#taken.set(holder, taken + 1)
    let isMine = true
    return () => {
      if (!isMine) return
      isMine = false
      const left = this.#taken.get(holder)! - 1
      if (left > 0) this.#taken.set(holder, left)
      else this.#taken.delete(holder)
    }
  }
}

/** Returns the same parts, and calls `leave` when they end, fail or are given up: also if nobody has asked
 * for the first, when the `finally` of a generator would not run. */
export function leavingAfter<Part>(parts: AsyncIterable<Part>, leave: () => void): AsyncIterable<Part> {
  const iterator = parts[Symbol.asyncIterator]()
  const leaving: AsyncIterator<Part> = {
    async next() {
      try {
        const next = await iterator.next()
        if (next.done) leave()
        return next
      } catch (error) {
        leave()
        throw error
      }
    },
    async return() {
      leave()
      await iterator.return?.()
      return { done: true, value: undefined }
    },
  }
  return { [Symbol.asyncIterator]: () => leaving }
}
