import { useSyncExternalStore } from 'react'
import { BankProblem, NoAnswerError } from '../../client/index.ts'
import { api } from './api.ts'
import { browserShelf } from './browser-shelf.ts'
import type { MoneyOrder, OrderAnswer, ReviewedOrder } from './money-order.ts'
import { newKey } from './new-key.ts'
import { OrderDesk } from './order-desk.ts'

/** The desk of /move in a browser. */

const AGAIN_MS = 5_000

const desks = new Map<string, OrderDesk>()

/** Returns the desk of a user. It stays while the page is open, also if another page is shown. */
export function deskOf(owner: string): OrderDesk {
  const known = desks.get(owner)
  if (known) return known
  const desk = new OrderDesk({
    owner,
    send: (order, how) => sendOnce(owner, order, how),
    shelf: browserShelf(),
    newKey,
    nowMs: Date.now,
    later: (act) => void setTimeout(act, AGAIN_MS),
  })
  addEventListener('online', () => desk.resume())
  desks.set(owner, desk)
  return desk
}

/** Returns how the order of a desk stands, and follows it. */
export const useOrder = (desk: OrderDesk): MoneyOrder => useSyncExternalStore(desk.subscribe, desk.snapshot)

/** Sends an order once, so that each attempt can be shown. */
async function sendOnce(
  owner: string,
  order: ReviewedOrder,
  how: { prefersAsync: boolean },
): Promise<OrderAnswer> {
  try {
    const { status, body, wasReplayed } = await api.request('POST /api/transactions', {
      body: order.body,
      idempotencyKey: order.key,
      attemptsMax: 1,
      // Keys are kept by user: as somebody else's, the order would be another one.
      headers: { 'session-user': owner },
      ...(how.prefersAsync && { prefer: 'respond-async' }),
    })
    return status === 202 ? { is: 'accepted', made: body } : { is: 'made', made: body, wasReplayed }
  } catch (error) {
    if (error instanceof NoAnswerError) return { is: 'no-answer' }
    if (!(error instanceof BankProblem)) throw error
    // This tab hasn't heard who is signed in by now.
    if (error.code === 'other-user') location.reload()
    // Too many requests: it is asked again, as without an answer.
    if (error.isOutcomeUnknown || error.status === 429) return { is: 'no-answer' }
    const { status, code, detail, errors } = error
    return { is: 'refused', refusal: { status, code, detail, errors } }
  }
}
