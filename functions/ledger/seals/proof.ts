import type { Transaction } from '../../host/database/database.ts'
import type { Reply } from '../../host/reply.ts'
import { sealedPart, type ProofWanted, type SealedEnd } from './sealed-part.ts'

/** Proves to whoever has it what the books say of one account. docs/verify-statement.mjs checks it. Amounts
 * are in minor units, as decimal text; hashes are in hex. */
export interface AccountProof extends SealedEnd {
  account: string
  /** The entry before the first of `entries`; version 0 is the account without entries. */
  opening: { version: number; hash: string; balance_minor: string }
  /** All entries after the opening, up to the version that was sealed. */
  entries: ProvenEntry[]
}

export interface ProvenEntry {
  version: number
  transaction_id: string
  amount_minor: string
  balance_after_minor: string
  /** RFC 3339, UTC, with microseconds. */
  created_at: string
  /** Null if it is the day of `created_at`. */
  value_date: string | null
}

type ProvenRow = {
  version: bigint
  transaction_id: string
  amount: bigint
  balance_after: bigint
  created_at: string
  value_date: string | null
  hash: Buffer
}

/** Proves an account's history; see sealedPart(). Everything that it reads is never changed, so it needs no
 * transaction. */
export async function proofOfAccount(
  db: Transaction,
  accountId: string,
  wanted: ProofWanted,
): Promise<{ proof: AccountProof } | { refusal: Reply }> {
  const found = await sealedPart(db, 'sealed', accountId, wanted)
  if ('refusal' in found) return found
  const { after, upTo, end } = found.part
  const rows = await db.query<ProvenRow>({
    name: 'proof-entries',
    text: `select version, transaction_id, amount, balance_after, hash,
        to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as created_at,
        to_char(value_date, 'YYYY-MM-DD') as value_date
      from entries where account_id = $1 and version between $2 and $3 order by version`,
    values: [accountId, after, upTo],
  })
  const before = after === 0n ? undefined : rows.shift()
  return {
    proof: {
      account: accountId,
      opening: {
        version: Number(after),
        hash: before?.hash.toString('hex') ?? '0'.repeat(64),
        balance_minor: String(before?.balance_after ?? 0n),
      },
      entries: rows.map(toEntry),
      ...end,
    },
  }
}

const toEntry = (row: ProvenRow): ProvenEntry => ({
  version: Number(row.version),
  transaction_id: row.transaction_id,
  amount_minor: String(row.amount),
  balance_after_minor: String(row.balance_after),
  created_at: row.created_at,
  value_date: row.value_date,
})
