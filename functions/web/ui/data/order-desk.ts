import {
  nextOrder,
  prefersAsync,
  type MoneyOrder,
  type OrderAnswer,
  type OrderBody,
  type OrderEvent,
  type OrderPayee,
  type ReviewedOrder,
} from './money-order.ts'

/** Runs the order of one user: sends it, asks again until there is an answer, and survives a reload. It only
 * asks again while somebody looks on: by then another may be signed in. */

/** What sessionStorage keeps. */
export interface OrderShelf {
  getItem(name: string): string | null
  setItem(name: string, text: string): void
  removeItem(name: string): void
}

export interface OrderDeskTools {
  /** Id of the user whose order it is. */
  owner: string
  /** Sends the order once. Resolves with what came of it; rejects only for a defect. */
  send(order: ReviewedOrder, how: { prefersAsync: boolean }): Promise<OrderAnswer>
  shelf: OrderShelf
  newKey(): string
  nowMs(): number
  /** Calls back before the next attempt. */
  later(act: () => void): void
}

/** The name under which the order of a user is kept. */
export const shelfOf = (owner: string): string => `microbank.order.${owner}`

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
    const shelved = readShelf(tools)
    if (!shelved) this.state = { is: 'editing' }
    else if (shelved.attempts === 0) this.state = { is: 'in-review', order: shelved.order }
    else this.state = { is: 'unanswered', ...shelved }
  }

  /** The two that React's useSyncExternalStore() takes. */
  readonly snapshot = (): MoneyOrder => this.state
  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    // A late answer may have come, or the page was loaded anew.
    if (this.listeners.size === 1) this.resume()
    return () => this.listeners.delete(listener)
  }

  /** Shows a body for review, under a new key. */
  review(body: OrderBody, payee?: OrderPayee): void {
    const made = { key: this.tools.newKey(), body, reviewedAtMs: this.tools.nowMs() }
    const order = payee ? { ...made, payee } : made
    this.take({ type: 'reviewed', order })
  }

  /** Back to the form; also begins anew after an outcome. */
  edit(): void {
    this.take({ type: 'edited' })
  }

  /** Puts away an outcome that was seen. */
  leave(): void {
    if (this.state.is === 'done') this.edit()
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

  /** Asks again at once, if there is no answer yet. */
  resume(): void {
    if (this.state.is === 'unanswered' && this.listeners.size > 0) this.send()
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
    // Before anything is sent: a reload at any moment finds what may be under way. What was wiped at sign-out
    // stays wiped.
    const { shelf, owner } = this.tools
    if (event.type !== 'answered' || shelf.getItem(shelfOf(owner)) !== null) writeShelf(this.tools, next)
    for (const listener of this.listeners) listener()
  }
}

function writeShelf({ shelf, owner }: OrderDeskTools, state: MoneyOrder): void {
  const name = shelfOf(owner)
  if (state.is === 'editing' || state.is === 'done' || state.is === 'refused') return shelf.removeItem(name)
  const attempts = 'attempts' in state ? state.attempts : 0
  shelf.setItem(name, JSON.stringify({ order: state.order, attempts } satisfies ShelvedOrder))
}

function readShelf({ shelf, owner }: OrderDeskTools): ShelvedOrder | undefined {
  try {
    const shelved = JSON.parse(shelf.getItem(shelfOf(owner)) ?? 'null') as ShelvedOrder | null
    return shelved ?? undefined
  } catch {
    return undefined
  }
}
