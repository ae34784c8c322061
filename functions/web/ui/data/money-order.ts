import type { Api, Transaction } from '../../client/api.ts'

/** An order of /move, from the form to its outcome. Pure: what happens to it comes in as events.
 *
 * The key is made at Review and belongs to one body for ever. A changed body is another order with another
 * key. So whatever is lost, asking again moves the money once or not at all. */

export type OrderBody = Api['POST /api/transactions']['takes']['body']

export interface OrderPayee {
  /** As the payer typed it. */
  asked: string
  name: string
}

export interface ReviewedOrder {
  key: string
  body: OrderBody
  /** Whom the bank named when the payer asked for an account number or an address. */
  payee?: OrderPayee
  /** Milliseconds since 1970. */
  reviewedAtMs: number
}

/** What the bank said no with. */
export interface OrderRefusal {
  status: number
  code: string
  detail: string
  errors: readonly { path: string; message: string }[]
}

/** `attempts` counts what was sent, with what is under way. `isOpen`: an earlier attempt may have moved the
 * money. */
export type MoneyOrder =
  | { is: 'editing' }
  | { is: 'in-review'; order: ReviewedOrder }
  | { is: 'sending'; order: ReviewedOrder; attempts: number; isOpen: boolean }
  | { is: 'unanswered'; order: ReviewedOrder; attempts: number }
  | { is: 'expired'; order: ReviewedOrder; attempts: number }
  | { is: 'accepted'; order: ReviewedOrder; attempts: number; made: Transaction }
  | { is: 'done'; order: ReviewedOrder; attempts: number; wasReplayed: boolean; made: Transaction }
  | { is: 'refused'; order: ReviewedOrder; attempts: number; refusal: OrderRefusal }

/** What came of one attempt. */
export type OrderAnswer =
  | { is: 'made'; made: Transaction; wasReplayed: boolean }
  | { is: 'accepted'; made: Transaction }
  | { is: 'refused'; refusal: OrderRefusal }
  | { is: 'no-answer' }

export type OrderEvent =
  | { type: 'reviewed'; order: ReviewedOrder }
  | { type: 'edited' }
  | { type: 'sent'; nowMs: number }
  | { type: 'answered'; attempt: number; answer: OrderAnswer }
  /** The bank says what became of an accepted order. */
  | { type: 'settled'; made: Transaction }

/** The bank forgets a key after seven days. Then asking again could move the money twice. */
export const KEY_AGE_MS_MAX = 6 * 86_400_000

/** From the third attempt on, the bank may answer before it has posted (`Prefer: respond-async`). */
export const prefersAsync = ({ attempts }: { attempts: number }): boolean => attempts > 2

/** Returns what an event makes of an order. What doesn't fit is ignored: a second click, a late answer. */
export function nextOrder(state: MoneyOrder, event: OrderEvent): MoneyOrder {
  switch (event.type) {
    case 'reviewed':
      return canEdit(state) ? { is: 'in-review', order: event.order } : state
    case 'edited':
      return canEdit(state) || state.is === 'expired' ? { is: 'editing' } : state
    case 'sent':
      return send(state, event.nowMs)
    case 'answered':
      return answered(state, event.attempt, event.answer)
    case 'settled':
      return state.is === 'accepted' ? settled(state, event.made) : state
  }
}

/** Whether the order may be changed or left: no attempt of it may have moved money that isn't told of. */
export const canEdit = ({ is }: MoneyOrder): boolean =>
  is === 'editing' || is === 'in-review' || is === 'refused' || is === 'done'

function send(state: MoneyOrder, nowMs: number): MoneyOrder {
  if (state.is !== 'in-review' && state.is !== 'unanswered') return state
  const { order } = state
  const attempts = 'attempts' in state ? state.attempts : 0
  if (nowMs - order.reviewedAtMs > KEY_AGE_MS_MAX)
    return attempts === 0 ? { is: 'editing' } : { is: 'expired', order, attempts }
  return { is: 'sending', order, attempts: attempts + 1, isOpen: attempts > 0 }
}

function answered(state: MoneyOrder, attempt: number, answer: OrderAnswer): MoneyOrder {
  if (state.is !== 'sending' && state.is !== 'unanswered') return state
  const { order, attempts } = state
  switch (answer.is) {
    case 'made':
      return { ...answer, is: 'done', order, attempts }
    case 'accepted':
      return { ...answer, is: 'accepted', order, attempts }
    case 'no-answer':
      return attempt === attempts ? { is: 'unanswered', order, attempts } : state
    case 'refused': {
      const isOpen = state.is === 'unanswered' || state.isOpen
      if (!isOpen || isDecision(answer.refusal)) return { ...answer, is: 'refused', order, attempts }
      return attempt === attempts ? { is: 'unanswered', order, attempts } : state
    }
  }
}

function settled({ order, attempts }: MoneyOrder & { is: 'accepted' }, made: Transaction): MoneyOrder {
  if (made.status === 'pending') return { is: 'accepted', order, attempts, made }
  if (made.status !== 'rejected') return { is: 'done', order, attempts, wasReplayed: false, made }
  const refusal = { status: 409, code: made.refusal ?? 'rejected', detail: '', errors: [] }
  return { is: 'refused', order, attempts, refusal }
}

/** Whether a refusal speaks for all attempts with this key. The ledger keeps a refusal under its key, so what
 * was sent before can't be posted any more. A refusal on the way to it (too many requests, a session that has
 * ended) tells only of the last attempt. */
export function isDecision({ status, code }: Pick<OrderRefusal, 'status' | 'code'>): boolean {
  if (status === 404) return code === 'account-not-found'
  return status === 400 || status === 422 || (status === 409 && code !== 'idempotency-key-in-use')
}
