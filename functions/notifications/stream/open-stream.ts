import { HEARTBEAT, HEARTBEAT_MS } from '../../host/stream-life.ts'
import { toNotification } from '../notification.ts'
import { placeOf, type PlacedRow } from './missed.ts'
import { isAfter, type StreamPlace } from './place.ts'

/** Characters that wait for a client that takes nothing, at most. Beyond that its stream ends, and it comes
 * back to where it was. */
const WAITING_MAX = 256 * 1024

/** Writes a notification as a Server-Sent Event. JSON has no line breaks. */
export function eventOf(row: PlacedRow): string {
  return `id: ${row.id}\nevent: notification\ndata: ${JSON.stringify(toNotification(row))}\n\n`
}

/** The live part of one stream: what waits for its client, and when it ends. */
export class OpenStream {
  readonly userId: string
  readonly #after: StreamPlace
  readonly #leftMs: () => number
  #waiting = ''
  #isOver = false
  #wake: (() => void) | undefined
  #sentAt = performance.now()

  /** Sends what comes after a place. `leftMs` says how many milliseconds are left until it ends. */
  constructor(userId: string, after: StreamPlace, leftMs: () => number) {
    this.userId = userId
    this.#after = after
    this.#leftMs = leftMs
  }

  /** Sends a notification, unless the client has it already. `text` is its event. */
  offer(row: PlacedRow, text: string): void {
    if (isAfter(placeOf(row), this.#after)) this.#push(text)
  }

  /** Call it every second: ends the stream when its time is over, and shows a quiet one's hops that it
   * lives. */
  tick(): void {
    if (this.#leftMs() <= 0) this.end()
    else if (performance.now() - this.#sentAt >= HEARTBEAT_MS) this.#push(HEARTBEAT)
  }

  end(): void {
    this.#isOver = true
    this.#wake?.()
  }

  /** What waits, each time that something does, until the stream is over. */
  async *texts(): AsyncGenerator<string> {
    for (;;) {
      const text = this.#waiting
      this.#waiting = ''
      if (text !== '') yield text
      else if (this.#isOver) return
      else await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  #push(text: string): void {
    if (this.#isOver) return
    if (this.#waiting.length + text.length > WAITING_MAX) return this.end()
    this.#sentAt = performance.now()
    this.#waiting += text
    this.#wake?.()
  }
}
