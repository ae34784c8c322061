import type { IncomingMessage, ServerResponse } from 'node:http'

/** A request without an answer so far. */
export interface WaitingRequest {
  request: IncomingMessage
  response: ServerResponse
  /** Whether it came from one of the bank's own functions. */
  trusted: boolean
  /** How many processes it was given to. */
  attempts: number
  /** When the request must have its answer, by performance.now(). Set when it is first given to a process. */
  deadline?: number
}

/**
 * Requests that wait for a process, in the order in which they came. A request whose client leaves is
 * removed.
 */
export class WaitingLine {
  readonly #waiting = new Map<WaitingRequest, { leave: () => void }>()

  get length(): number {
    return this.#waiting.size
  }

  get first(): WaitingRequest | undefined {
    const [first] = this.#waiting.keys()
    return first
  }

  /** Adds a request at the end. If it still waits after `timeoutMs`, it is removed and `onLate` is called. */
  join(caller: WaitingRequest, timeoutMs: number, onLate: () => void): void {
    const gone = () => this.leave(caller)
    const timer = setTimeout(() => {
      this.leave(caller)
      onLate()
    }, timeoutMs)
    caller.response.once('close', gone)
    const leave = () => {
      clearTimeout(timer)
      caller.response.off('close', gone)
    }
    this.#waiting.set(caller, { leave })
  }

  leave(caller: WaitingRequest): void {
    this.#waiting.get(caller)?.leave()
    this.#waiting.delete(caller)
  }

  /** Empties the line. Returns the requests that were in it. */
  dissolve(): WaitingRequest[] {
    const callers = [...this.#waiting.keys()]
    for (const caller of callers) this.leave(caller)
    return callers
  }
}
