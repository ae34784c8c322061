import { randomUUID } from 'node:crypto'
import type { TestLedger } from './ledger-fixture.ts'

/** Rules of a fee as the database has them: minor units, and the share in millionths. */
export interface GivenFee {
  fixed?: number
  share?: number
  minimum?: number
  maximum?: number
  tiers?: (GivenFee & { from: number })[]
}

const withAll = ({ fixed = 0, share = 0, minimum, maximum, tiers = [], ...rest }: GivenFee): object => ({
  ...rest,
  fixed,
  share,
  minimum: minimum ?? null,
  maximum: maximum ?? null,
  tiers: tiers.map(withAll),
})

/** Sets a fee that is in force when this has resolved; null ends it. */
export async function setFee(
  ledger: TestLedger,
  type: 'deposit' | 'withdrawal' | 'transfer',
  rules: GivenFee | null,
  currency = 'USD',
): Promise<void> {
  await ledger.db.query({
    text: `select set_fee($1, $2, $3, null, $4, 'a test')`,
    values: [currency, type, rules && JSON.stringify(withAll(rules)), randomUUID()],
  })
}

export interface GivenLimits {
  /** Minor units. */
  transaction?: bigint
  day?: bigint
  month?: bigint
  zone?: string
}

/** A moment to come, far from the end of a day in all time zones that tests use. */
export const NOON = '2031-06-15T12:00:00.000Z'

/** Lets the next postings of accounts happen at this moment, if it is to come: an account's time never goes
 * back. So tests choose the time, and it stands still until they choose another. */
export async function setTime(ledger: TestLedger, moment: string, ...accounts: string[]): Promise<void> {
  await ledger.owner.query({
    text: 'update accounts set posted_at = greatest(posted_at, $1) where id = any ($2)',
    values: [moment, accounts],
  })
}

/** Sets the limits of an account from now on, or from NOON if that is to come. */
export async function limitTo(
  ledger: TestLedger,
  account: string,
  { transaction, day, month, zone = 'UTC' }: GivenLimits,
): Promise<void> {
  await setTime(ledger, NOON, account)
  await ledger.db.query({
    text: `select set_limits($1, $2, $3, $4, $5, null, $6, 'a test')`,
    values: [account, transaction, day, month, zone, randomUUID()],
  })
}
