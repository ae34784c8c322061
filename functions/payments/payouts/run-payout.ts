import { payoutCompleted } from '../../../eventing/contracts/payout.completed.ts'
import { UnavailableError } from '../../../eventing/unavailable.ts'
import type { Database } from '../../host/database/database.ts'
import type { Emitting, Tools } from '../../host/tools.ts'
import { formatAmount } from '../../host/values/money.ts'
import { KEY_DAYS_MAX, OUTCOME_UNKNOWN, transferFor, type TransferOutcome } from '../calls/transfer-for.ts'
import { ABOUT_PAYER, TOO_MANY_UNREACHABLE, hasTriedTooOften } from '../calls/unreachable-payees.ts'
import { findPayee } from '../payments/payee.ts'
import { countItems, payoutColumns, type PayoutItemRow, type PayoutRow } from './payout.ts'

const ITEMS_AT_ONCE = 10
const PAYEE_NOT_FOUND = 'payee-not-found'
const SHOWN = new RegExp(`^(${OUTCOME_UNKNOWN}|${TOO_MANY_UNREACHABLE})$|${ABOUT_PAYER.source}`)

/** An item that is about to be paid. */
interface ClaimedItem extends PayoutItemRow {
  /** The ledger was called so long ago that it may have forgotten the key. */
  is_too_old: boolean
}

/** Takes a running payout for a minute; undefined if it is completed, or another process is at it. Without an
 * id it takes the one that has waited longest. A claim that ends further ahead than a claim lasts is over,
 * too: the clock was set back since. */
export async function claimPayout(db: Database, id: string | null): Promise<PayoutRow | undefined> {
  const [row] = await db.query<PayoutRow>({
    name: 'payout-claim',
    text: `update payouts set claimed_until = now() + interval '1 minute'
      where id = (
        select id from payouts
        where status = 'running' and (claimed_until <= now() or claimed_until > now() + interval '2 minutes')
          and ($1::uuid is null or id = $1)
        order by claimed_until limit 1 for update skip locked
      )
      returning ${payoutColumns}`,
    values: [id],
  })
  return row
}

/** `isUncalled`: refused without a call. It only counts if no other process has called for the item.
 * `hasFailed`: unknown for a reason of the item's own. */
type ItemOutcome = TransferOutcome & { isUncalled?: true; hasFailed?: true }

/** Pays the items of a claimed payout that have no outcome yet, and completes it. Resolves with false if the
 * time was over first. An item that gets no outcome keeps no other from being paid: the next time is soon
 * enough for it. Rejects with UnavailableError if one is left so, or if nobody answers; what has an outcome
 * keeps it.
 *
 * A process may die after any line. When the payout is taken up again, an item without an outcome is called
 * for with the same key, so its money moves once. The same holds if two processes are at it. */
export async function runPayout(
  payout: PayoutRow,
  tools: Tools,
  { traceparent, endsAt }: { traceparent: string; endsAt: number },
): Promise<boolean> {
  const left: number[] = []
  for (;;) {
    const items = await claimItems(tools.db, payout.id, left)
    if (items.length === 0) break
    const isAsking = items.some((item) => item.to_account_id === null && !item.is_too_old)
    const mayAsk = isAsking && !(await tools.db.transaction((tx) => hasTriedTooOften(tx, payout.user_id)))
    const outcomes = await Promise.all(
      items.map(async (item) => hidePayee(item, await pay(payout, item, { tools, traceparent, mayAsk }))),
    )
    await storeOutcomes(tools.db, payout.id, items, outcomes)
    left.push(...items.flatMap(({ number }, i) => (outcomes[i]!.outcome === 'unknown' ? number : [])))
    // While nobody answers, each call would only wait.
    if (outcomes.every(({ outcome, hasFailed }) => outcome === 'unknown' && !hasFailed)) break
    if (performance.now() > endsAt) {
      await giveBack(tools.db, payout.id)
      return false
    }
  }
  if (left.length > 0) throw new UnavailableError(`${left.length} items of a payout have no outcome yet`)
  await tools.transact(traceparent, (tx) => complete(tx, payout))
  return true
}

/** Lets others take the payout up at once, after those that have waited longer. */
const giveBack = (db: Database, id: string): Promise<unknown> =>
  db.query({
    name: 'payout-give-back',
    text: `update payouts set claimed_until = now() where id = $1 and status = 'running'`,
    values: [id],
  })

/** Takes the next items but some, and prolongs the claim on their payout. Those that nobody has called for
 * yet come first, so that each has its turn even if those before it get no outcome. */
const claimItems = async (db: Database, id: string, but: readonly number[]): Promise<ClaimedItem[]> =>
  db.query<ClaimedItem>({
    name: 'payout-items-claim',
    text: `with prolonged as (
        update payouts set claimed_until = now() + interval '1 minute' where id = $1
      ), next as (
        select number from payout_items
        where payout_id = $1 and status = 'pending' and number <> all ($2::integer[])
        order by called_at nulls first, number limit ${ITEMS_AT_ONCE} for update
      )
      update payout_items i set called_at = coalesce(called_at, now())
      from next where i.payout_id = $1 and i.number = next.number
      returning i.*, i.called_at < now() - interval '${KEY_DAYS_MAX} days' as is_too_old`,
    values: [id, but],
  })

async function pay(
  payout: PayoutRow,
  item: ClaimedItem,
  { tools, traceparent, mayAsk }: { tools: Tools; traceparent: string; mayAsk: boolean },
): Promise<ItemOutcome> {
  // To repeat a call of long ago could move the money twice.
  if (item.is_too_old) return { outcome: 'refused', problem: OUTCOME_UNKNOWN }
  if (item.to_account_id === null && !mayAsk)
    return { outcome: 'refused', problem: TOO_MANY_UNREACHABLE, isUncalled: true }
  try {
    const to = item.to_account_id ?? (await storePayee(payout, item, tools, traceparent))
    if (to === undefined) return { outcome: 'refused', problem: PAYEE_NOT_FOUND, isUncalled: true }
    return await transferFor(tools, toTransfer(payout, item, to), traceparent)
  } catch (error) {
    const { message } = error as Error
    if (error instanceof UnavailableError) return { outcome: 'unknown', reason: message }
    tools.log.error('an item of a payout failed', { payout_id: payout.id, error: message })
    return { outcome: 'unknown', reason: message, hasFailed: true }
  }
}

/** Who pays to an address must not learn more about its owner than that they can't be paid. */
function hidePayee({ email }: ClaimedItem, outcome: ItemOutcome): ItemOutcome {
  if (email === null || outcome.outcome !== 'refused' || SHOWN.test(outcome.problem)) return outcome
  return { ...outcome, problem: PAYEE_NOT_FOUND }
}

const toTransfer = (payout: PayoutRow, item: ClaimedItem, to: string) => ({
  userId: payout.user_id,
  key: `payout:${payout.id}:${item.number}`,
  body: {
    account_id: payout.account_id,
    to_account_id: to,
    amount: formatAmount(item.amount, payout.currency),
    currency: payout.currency,
    ...(item.note !== null && { description: item.note }),
    metadata: { payout: payout.id, payout_item: String(item.number) },
  },
})

/** Finds the account of a payee by their email address and stores it. Returns the account that is stored,
 * also if another process was first; undefined if there is none, or the item has an outcome. */
async function storePayee(
  payout: PayoutRow,
  { number, email }: ClaimedItem,
  tools: Tools,
  traceparent: string,
): Promise<string | undefined> {
  const wanted = {
    ...{ id: `${payout.id}-${number}`, user_id: payout.user_id, account_id: payout.account_id },
    ...{ currency: payout.currency, payee_account_id: null, payee_email: email },
  }
  const found = await findPayee(wanted, { callFor: tools.callFor, traceparent })
  if (found === undefined) return undefined
  const [row] = await tools.db.query<{ to_account_id: string }>({
    name: 'payout-item-payee',
    text: `update payout_items set to_account_id = coalesce(to_account_id, $3)
      where payout_id = $1 and number = $2 and status = 'pending' returning to_account_id`,
    values: [payout.id, number, found.accountId],
  })
  return row?.to_account_id
}

/** An item that has an outcome keeps it. */
async function storeOutcomes(
  db: Database,
  id: string,
  items: readonly ClaimedItem[],
  outcomes: readonly ItemOutcome[],
): Promise<void> {
  const known = items.flatMap(({ number }, i): object[] => {
    const outcome = outcomes[i]!
    if (outcome.outcome === 'unknown') return []
    return outcome.outcome === 'paid'
      ? [{ number, status: 'paid', transaction_id: outcome.transactionId }]
      : [{ number, status: 'refused', problem: outcome.problem, is_uncalled: outcome.isUncalled }]
  })
  await db.query({
    name: 'payout-items-outcomes',
    text: `update payout_items i set status = o.status, transaction_id = o.transaction_id, problem = o.problem
      from json_to_recordset($2) as o(number integer, status text, transaction_id uuid, problem text,
        is_uncalled boolean)
      where i.payout_id = $1 and i.number = o.number and i.status = 'pending'
        and (o.is_uncalled is null or i.to_account_id is null)`,
    values: [id, JSON.stringify(known)],
  })
}

async function complete(tx: Emitting, payout: PayoutRow): Promise<void> {
  const [row] = await tx.query<{ completed_at: Date }>({
    name: 'payout-complete',
    text: `update payouts set status = 'completed', completed_at = date_trunc('milliseconds', now())
      where id = $1 and status = 'running'
        and not exists (select from payout_items where payout_id = $1 and status = 'pending')
      returning completed_at`,
    values: [payout.id],
  })
  if (!row) return
  const { paid, refused } = await countItems(tx, payout.id)
  const [sum] = await tx.query<{ amount: bigint }>({
    name: 'payout-sum',
    text: `select coalesce(sum(amount), 0)::bigint as amount from payout_items
      where payout_id = $1 and status = 'paid'`,
    values: [payout.id],
  })
  tx.emit(payoutCompleted, {
    subject: payout.id,
    partitionkey: payout.account_id,
    data: {
      payout_id: payout.id,
      user_id: payout.user_id,
      account_id: payout.account_id,
      currency: payout.currency,
      amount: formatAmount(sum!.amount, payout.currency),
      paid,
      refused,
      timestamp: row.completed_at.toISOString(),
    },
  })
}
