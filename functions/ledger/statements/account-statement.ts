import type { AccountRow } from '../accounts/account.ts'

export const statementBases = ['booking', 'value'] as const
export type StatementBasis = (typeof statementBases)[number]

/** What one statement says, without its entries. It follows from the account, the period and the versions
 * alone, so the same question gives the same bytes at any time. Amounts are in minor units. */
export interface AccountStatement {
  account: Pick<AccountRow, 'id' | 'account_type' | 'currency' | 'created_at'>
  /** By booking time, or by value date. */
  basis: StatementBasis
  /** The period as it was asked for: `from` is in it, `to` is not. Null: without that end. */
  from: Date | null
  to: Date | null
  /** By booking time: the number of the last entry before the statement, and of its last one. */
  fromVersion: bigint | null
  toVersion: bigint | null
  /** By value date: the number of the last entry that is known. */
  knownVersion: bigint | null
  opening: bigint
  closing: bigint
  credits: EntrySum
  /** The sum is not negative. */
  debits: EntrySum
  /** When the last thing happened that the statement knows of. It stands where a format needs the time at
   * which the statement was made, and the clock would give other bytes each time. */
  asOf: Date
  /** The first seal over all that the statement knows of; null as long as there is none. */
  seal: StatementSeal | null
}

export interface StatementSeal {
  /** Its number. */
  n: bigint
  /** The signed checkpoint (docs/proof.md). */
  note: string
}

export interface EntrySum {
  count: number
  sum: bigint
}

/** One line of a statement. */
export interface StatementEntry {
  version: bigint
  bookedAt: Date
  /** YYYY-MM-DD. */
  valueDate: string
  /** Minor units; negative if the account pays. */
  amount: bigint
  /** After this line: in the order of the statement, which is not that of booking if it is by value date. */
  balanceAfter: bigint
  transactionId: string
  type: string
  description: string | null
  /** The other account of a transfer, or of its reversal. */
  counterpartyAccountId: string | null
  /** A fee, or a fee that was given back. */
  isFee: boolean
}

/** Entries of a statement, some at a time, in its order. */
export type StatementPages = AsyncIterable<readonly StatementEntry[]>

/** Writes a statement in one format. */
export type WriteStatement = (
  statement: AccountStatement,
  pages: StatementPages,
) => AsyncIterable<string | Buffer>

/** Returns the day of a moment, in UTC, as YYYY-MM-DD. */
export const dayOf = (moment: Date): string => moment.toISOString().slice(0, 10)
