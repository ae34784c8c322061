import { createHash } from 'node:crypto'
import type { Transaction } from '../../host/database/database.ts'
import type { Reply } from '../../host/reply.ts'
import type { HoldRow } from '../holds/hold.ts'
import { sealedPart, type ProofWanted, type SealedEnd } from './sealed-part.ts'

/** Proves to whoever has it what the books say of one account's holds. docs/verify-statement.mjs checks it.
 * Amounts are in minor units, as decimal text; hashes are in hex. */
export interface HoldProof extends SealedEnd {
  account: string
  /** The entry before the first of `entries`; version 0 is the account that has never held anything. */
  opening: { version: number; hash: string; held_minor: string }
  /** All entries of holds after the opening, up to the version that was sealed. */
  entries: ProvenHoldEntry[]
}

/** Says that a hold was placed (`status` is `open`), or how it ended. */
export interface ProvenHoldEntry {
  version: number
  hold_id: string
  status: HoldRow['status']
  /** By how much it changed what the account holds. The end of a hold takes all of it away. */
  amount_minor: string
  held_after_minor: string
  /** How much was captured, and by which transaction; null unless the status is `captured`. */
  captured_minor: string | null
  transaction_id: string | null
  /** RFC 3339, UTC, with microseconds. */
  created_at: string
}

type ProvenHoldRow = Pick<HoldRow, 'status' | 'captured' | 'transaction_id'> & {
  version: bigint
  hold_id: string
  amount: bigint
  held_after: bigint
  created_at: string
  hash: Buffer
}

/** What the first entry's hash follows on: first_hold_hash(). */
const firstHash = (): string => createHash('sha256').update('holds').digest('hex')

/** Proves the history of an account's holds; see sealedPart(). `goesOn` is true if there is another part.
 * What is sealed is never changed, so it needs no transaction. */
export async function proofOfHolds(
  db: Transaction,
  accountId: string,
  wanted: ProofWanted,
): Promise<{ proof: HoldProof; goesOn: boolean } | { refusal: Reply }> {
  const found = await sealedPart(db, 'sealed_holds', accountId, wanted)
  if ('refusal' in found) return found
  const { after, upTo, goesOn, end } = found.part
  const rows = await db.query<ProvenHoldRow>({
    name: 'proof-hold-entries',
    text: `select e.version, e.hold_id, e.amount, e.held_after, e.hash,
        case when e.id = e.hold_id then 'open' else h.status end as status,
        case when e.id <> e.hold_id then h.captured end as captured,
        case when e.id <> e.hold_id then h.transaction_id end as transaction_id,
        to_char(e.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as created_at
      from hold_entries e join holds h on h.id = e.hold_id
      where e.account_id = $1 and e.version between $2 and $3 order by e.version`,
    values: [accountId, after, upTo],
  })
  const before = after === 0n ? undefined : rows.shift()
  return {
    goesOn,
    proof: {
      account: accountId,
      opening: {
        version: Number(after),
        hash: before?.hash.toString('hex') ?? firstHash(),
        held_minor: String(before?.held_after ?? 0n),
      },
      entries: rows.map(toEntry),
      ...end,
    },
  }
}

const toEntry = (row: ProvenHoldRow): ProvenHoldEntry => ({
  version: Number(row.version),
  hold_id: row.hold_id,
  status: row.status,
  amount_minor: String(row.amount),
  held_after_minor: String(row.held_after),
  captured_minor: row.captured === null ? null : String(row.captured),
  transaction_id: row.transaction_id,
  created_at: row.created_at,
})
