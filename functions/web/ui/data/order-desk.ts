import {
  nextOrder,
  prefersAsync,
  type MoneyOrder,
  type OrderAnswer,
  type OrderBody,
  type OrderEvent,
  type ReviewedOrder,
} from './money-order.ts'

/** Runs one order of /move: sends it, asks again until there is an answer, and survives a reload. */

/** What sessionStorage keeps. */
export interface OrderShelf {
  getItem(name: string): string | null
  setItem(name: string, text: string): void
  removeItem(name: string): void
}

export interface OrderDeskTools {
  /** Sends the order once. Resolves with what came of it; rejects only for a defect. */
  send(order: ReviewedOrder, how: { prefersAsync: boolean }): Promise<OrderAnswer>
  shelf: OrderShelf
  newKey(): string
  nowMs(): number
  /** Calls back before the next attempt. */
  later(act: () => void): void
}

const SHELF = 'microbank.order'

interface ShelvedOrder {
  order: ReviewedOrder
  /** How often it was sent. */
  attempts: number
}

export class OrderDesk {
  private state: MoneyOrder
  private readonly listeners = new Set<() => void>()
  private readonly tools: OrderDeskTools

  constructor(tools: OrderDeskTools) {
    this.tools = tools
    const shelved = readShelf(tools.shelf)
    if (!shelved) this.state = { is: 'editing' }
    else if (shelved.attempts === 0) this.state = { is: 'in-review', order: shelved.order }
    else this.state = { is: 'unanswered', ...shelved }
  }

  /** The two that React's useSyncExternalStore() takes. */
  readonly snapshot = (): MoneyOrder => this.state
  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  /** Shows a body for review, under a new key. */
  review(body: OrderBody): void {
    const order = { key: this.tools.newKey(), body, reviewedAtMs: this.tools.nowMs() }
    this.take({ type: 'reviewed', order })
  }

  /** Back to the form; also begins anew after an outcome. */
  edit(): void {
    this.take({ type: 'edited' })
  }

  /** Sends what is in review, or asks again. Does nothing while an attempt is under way. */
  send(): void {
    const before = this.state
    this.take({ type: 'sent', nowMs: this.tools.nowMs() })
    if (this.state === before || this.state.is !== 'sending') return
    const { order, attempts } = this.state
    void this.tools.send(order, { prefersAsync: prefersAsync({ attempts }) }).then(
      (answer) => this.hear(order, attempts, answer),
      // A defect here says nothing of the money.
      () => this.hear(order, attempts, { is: 'no-answer' }),
    )
  }

  /** Takes what the bank says of an accepted order. */
  settle(made: Extract<MoneyOrder, { is: 'accepted' }>['made']): void {
    this.take({ type: 'settled', made })
  }

  /** Goes on asking after a reload. */
  resume(): void {
    if (this.state.is === 'unanswered') this.send()
  }

  private hear(order: ReviewedOrder, attempt: number, answer: OrderAnswer): void {
    // Meanwhile another order may be on the desk.
    if (!('order' in this.state) || this.state.order.key !== order.key) return
    this.take({ type: 'answered', attempt, answer })
    if (this.state.is === 'unanswered') this.tools.later(() => this.resume())
  }

  private take(event: OrderEvent): void {
    const next = nextOrder(this.state, event)
    if (next === this.state) return
    this.state = next
    // Before anything is sent: a reload at any moment finds what may be under way.
    writeShelf(this.tools.shelf, next)
    for (const listener of this.listeners) listener()
  }
}

function writeShelf(shelf: OrderShelf, state: MoneyOrder): void {
  if (state.is === 'editing' || state.is === 'done' || state.is === 'refused') return shelf.removeItem(SHELF)
  const attempts = 'attempts' in state ? state.attempts : 0
  shelf.setItem(SHELF, JSON.stringify({ order: state.order, attempts } satisfies ShelvedOrder))
}

function readShelf(shelf: OrderShelf): ShelvedOrder | undefined {
  try {
    const shelved = JSON.parse(shelf.getItem(SHELF) ?? 'null') as ShelvedOrder | null
    return shelved ?? undefined
  } catch {
    return undefined
  }
}

/** Forgets the order: at sign-out. */
export const clearShelf = (shelf: OrderShelf): void => shelf.removeItem(SHELF)
