import type { AccountRow } from '../accounts/account.ts'
import type { AccountStatement, StatementPages } from './account-statement.ts'
import type { StatementPeriod } from './period.ts'

/** A statement's head, and its entries. */
export interface MadeStatement {
  statement: AccountStatement
  pages: StatementPages
}

/** An account, and which of its entries the period names. */
export type Bounds = AccountRow & {
  version: bigint
  now: Date
  before_from: bigint | null
  before_to: bigint | null
  known: bigint | null
}

/** Returns how many of an account's entries a statement knows of. */
export const knownVersionOf = (bounds: Bounds, { knownVersion }: StatementPeriod): bigint =>
  knownVersion ?? bounds.known ?? bounds.version
