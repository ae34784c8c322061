import { setMaxListeners } from 'node:events'
import type { Destination } from '../../../eventing/broker/attempt.ts'
import type { AttemptUnderWay, EventRequest, SubscriberAnswer, Take } from '../../../eventing/broker/post.ts'

/** A consumer that this process hosts, and where the Broker looks up how to reach it. */
export interface ConsumerRoute {
  service: string
  to: Destination
}

export interface TapOptions {
  /** Deliveries of each event; 1 changes nothing. */
  times: number
  /** Each delivery waits this long at most. */
  delayMsMax: number
  /** Consumers whose answers come later, and by how much. */
  slowMs: ReadonlyMap<string, number>
  random: () => number
  onDelivery: (service: string, eventId: string) => void
}

type TappedDelivery = Pick<AttemptUnderWay, 'answer' | 'abort'>

/**
 * Stands between the Broker and its consumers. It takes the place of the function in each route that hands
 * events over; without it, nothing is left of the lab on that path.
 */
export class DeliveryTap {
  readonly #options: TapOptions
  readonly #over = new AbortController()
  readonly #underWay = new Set<Promise<unknown>>()
  readonly #undo: (() => void)[] = []

  constructor(routes: readonly ConsumerRoute[], options: TapOptions) {
    this.#options = options
    // As many deliveries wait as all Triggers together have under way.
    setMaxListeners(0, this.#over.signal)
    for (const { service, to } of routes) {
      const { take } = to
      if (!take) continue
      to.take = this.#tapped(service, take)
      this.#undo.push(() => void (to.take = take))
    }
  }

  /** Whether deliveries that it may have changed have no answer yet. */
  get isBusy(): boolean {
    return this.#underWay.size > 0
  }

  /** Changes nothing any more: what waits goes on at once, and nothing more is repeated. It still counts. */
  calm(): void {
    this.#over.abort()
  }

  /** Takes it out. */
  remove(): void {
    this.calm()
    for (const restore of this.#undo.splice(0)) restore()
  }

  #tapped(service: string, take: Take): Take {
    return (request) => {
      const aborted = new AbortController()
      const open = new Set<TappedDelivery>()
      const deliver = async (): Promise<SubscriberAnswer> => {
        aborted.signal.throwIfAborted()
        const delivery = take(request)
        this.#options.onDelivery(service, eventIdOf(request))
        open.add(delivery)
        try {
          return await delivery.answer
        } finally {
          open.delete(delivery)
        }
      }
      const answer = this.#deliverAll(service, deliver)
      // Not those of a whole bank, which never pause if others send enough.
      if (!this.#over.signal.aborted) this.#underWay.add(answer)
      const leave = () => void this.#underWay.delete(answer)
      answer.then(leave, leave)
      return {
        answer: untilAborted(answer, aborted.signal),
        abort(reason) {
          aborted.abort(reason)
          for (const delivery of open) delivery.abort(reason)
        },
      }
    }
  }

  /** Resolves with the answer to the first delivery. The Broker repeats it if it failed. */
  async #deliverAll(service: string, deliver: () => Promise<SubscriberAnswer>): Promise<SubscriberAnswer> {
    const { times, delayMsMax, slowMs, random } = this.#options
    const more = times - 1
    const areTogether = more > 0 && random() < 0.5
    if (delayMsMax > 0) await this.#wait(random() * delayMsMax)
    const first = deliver()
    if (this.#over.signal.aborted) return first
    // A consumer must also bear the same event at the same time.
    const together = areTogether ? Array.from({ length: more }, deliver) : []
    const results = Promise.allSettled(together)
    const answer = await first
    await results
    if (!areTogether)
      for (let n = 0; n < more && !this.#over.signal.aborted; n++) await deliver().catch(() => undefined)
    const lateMs = slowMs.get(service)
    if (lateMs !== undefined) await this.#wait(lateMs)
    return answer
  }

  /** Waits, at most until the tap is taken out. */
  #wait(ms: number): Promise<void> {
    const { signal } = this.#over
    if (signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', end)
        resolve()
      }
      const timer = setTimeout(end, ms)
      signal.addEventListener('abort', end)
    })
  }
}

const eventIdOf = ({ headers }: EventRequest): string => headers['ce-id'] ?? ''

/** A delivery that is aborted while it waits has to fail at once. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
    work.then(resolve, reject)
  })
}
