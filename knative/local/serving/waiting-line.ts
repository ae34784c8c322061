import type { IncomingMessage, ServerResponse } from 'node:http'

/** A request, as long as it has no answer. */
export interface WaitingRequest {
  request: IncomingMessage
  response: ServerResponse
  /** Whether it came from one of the bank's own functions. */
  trusted: boolean
  /** How many processes it was given to. */
  attempts: number
  /** By the clock of performance.now(): when whoever has it must have answered. Set when it is first given to
   * a process. */
  deadline?: number
}

/** Requests that wait for a process, in the order in which they came. One whose client goes away leaves the
 * line. */
export class WaitingLine {
  readonly #waiting = new Map<WaitingRequest, { leave: () => void }>()

  get length(): number {
    return this.#waiting.size
  }

  get first(): WaitingRequest | undefined {
    const [first] = this.#waiting.keys()
    return first
  }

  /** Puts a request at the end; `onLate` is called, and it is out of the line, if it still waits after
   * `timeoutMs`. */
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

  /** Empties the line; returns those who stood in it. */
  dissolve(): WaitingRequest[] {
    const callers = [...this.#waiting.keys()]
    for (const caller of callers) this.leave(caller)
    return callers
  }
}
