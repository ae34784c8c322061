import type { Tools } from '../../host/tools.ts'
import { sayLeftUnderWay } from '../left-under-way.ts'
import { paymentColumns, type PaymentRow } from './payment.ts'
import { settle } from './settle.ts'

const AT_ONCE = 10
// No round begins later, so that the function ends within its Service's time. What is left waits.
const TIME_MS_MAX = 5_000
const UNDER_WAY = `status in ('placing', 'executing', 'cancelling', 'expiring', 'failing')`

/** Decides that payments that are due expire, then has their money released. */
export const expireDue = (tools: Tools, traceparent: string): Promise<void> =>
  settleAll(tools, traceparent, {
    name: 'payments-expire',
    text: `update payments set status = 'expiring', taken_at = now() where id = any (array(
        select id from payments where status = 'created' and expires_at <= now()
        order by expires_at limit ${AT_ONCE} for update skip locked
      ))
      returning ${paymentColumns}`,
  })

/** Finishes payments that a process left under way when it died, or when the ledger did not answer. A request
 * that is still at work has at most a minute. If a payment was taken up in the future, the clock was set back
 * since, and it must not wait until the clock has caught up. */
export const takeUp = (tools: Tools, traceparent: string): Promise<void> =>
  settleAll(tools, traceparent, {
    name: 'payments-take-up',
    text: `update payments set taken_at = now() where id = any (
        array(
          select id from payments where ${UNDER_WAY} and taken_at < now() - interval '1 minute'
          order by taken_at limit ${AT_ONCE} for update skip locked
        ) || array(
          select id from payments where ${UNDER_WAY} and taken_at > now() + interval '1 minute'
          order by taken_at limit ${AT_ONCE} for update skip locked
        )
      )
      returning ${paymentColumns}`,
  })

/** Takes some payments after the other, each time marking them, so that any number of processes share the
 * work. One that can't be settled is tried again after a minute, and keeps no other from being settled. */
async function settleAll(
  tools: Tools,
  traceparent: string,
  taking: { name: string; text: string },
): Promise<void> {
  const endsAt = performance.now() + TIME_MS_MAX
  for (;;) {
    const taken = await tools.db.query<PaymentRow>(taking)
    const settled = await Promise.allSettled(taken.map((row) => settle(row, tools, { traceparent })))
    for (const [i, result] of settled.entries())
      if (result.status === 'rejected')
        sayLeftUnderWay(tools, 'payment', { ...taken[i]!, traceparent, reason: result.reason })
    if (taken.length < AT_ONCE || performance.now() > endsAt) return
  }
}
