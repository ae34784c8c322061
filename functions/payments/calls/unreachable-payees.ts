import type { Transaction } from '../../host/database/database.ts'

/** Addresses that can't be paid, after which a customer has to wait until the next day. A customer could try
 * out whose addresses this bank knows otherwise. */
const UNREACHABLE_MAX = 10

/** The problem of an address that was not looked up, because too many before could not be paid. */
export const TOO_MANY_UNREACHABLE = 'too-many-unreachable-payees'

/** Refusals that are about the payer. All others could tell something of the payee. */
export const ABOUT_PAYER = /^(insufficient-funds|(transaction|day|month)-limit-exceeded)$/

/** Tells whether a customer has named too many addresses within a day that can't be paid, in payments and
 * payouts together. Until the transaction ends, nobody else asks this for the customer: so requests at once
 * can't pass the limit together. */
export async function hasTriedTooOften(tx: Transaction, userId: string): Promise<boolean> {
  await tx.query({
    name: 'payees-lock',
    text: `select pg_advisory_xact_lock(hashtextextended('payees of ' || $1, 0))`,
    values: [userId],
  })
  const [row] = await tx.query<{ count: number }>({
    name: 'payees-unreachable',
    text: `select ((
        select count(*) from payments where user_id = $1 and failure = 'payee-unreachable'
          and (ended_at is null or ended_at > now() - interval '1 day')
      ) + (
        select count(*) from payouts p join payout_items i on i.payout_id = p.id
        where p.user_id = $1 and (p.completed_at is null or p.completed_at > now() - interval '1 day')
          and i.problem = 'payee-not-found'
      ))::integer as count`,
    values: [userId],
  })
  return row!.count >= UNREACHABLE_MAX
}
