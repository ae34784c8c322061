import type { Transaction } from '../../host/database/database.ts'
import { define, problem } from '../../host/problems.ts'
import type { Reply } from '../../host/reply.ts'
import { SEAL_EVERY_MS } from './seal.ts'

/** Proves to whoever has it what the books say of one account. docs/verify-statement.mjs checks it. Amounts
 * are in minor units, as decimal text; hashes are in hex. */
export interface AccountProof {
  account: string
  /** The entry before the first of `entries`; version 0 is the account without entries. */
  opening: { version: number; hash: string; balance_minor: string }
  /** All entries after the opening, up to the version that was sealed. */
  entries: ProvenEntry[]
  /** What the ledger sealed of the account, and at which place of the tree. */
  leaf: { index: number; version: number; hash: string }
  /** From the leaf to the root (RFC 9162, 2.1.3). */
  path: string[]
  /** The signed root. */
  checkpoint: string
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

/** Most entries of one proof: about a megabyte of JSON. */
export const PROOF_ENTRIES_MAX = 5_000

export const proofProblems = {
  notYetSealed: define('not-yet-sealed', 409, 'The next seal will cover this'),
  proofTooLong: define('proof-too-long', 422, 'The proof would have too many entries'),
}

/** Which part of an account's history is to be proved. */
export interface ProofWanted {
  /** Version of the opening: 0 for the beginning. */
  from: number
  /** The last version that the proof must cover; without it, the last one that was sealed. */
  to?: number | undefined
  /** The number of the seal that it is to be proved with; without it, the last one. */
  seal?: number | undefined
}

type LeafRow = { leaf: bigint; version: bigint; hash: Buffer; path: Buffer[]; note: string }
type ProvenRow = {
  version: bigint
  transaction_id: string
  amount: bigint
  balance_after: bigint
  created_at: string
  value_date: string | null
  hash: Buffer
}

/** Proves an account's history after the version `from`, up to `to` or the first sealed version after it. The
 * proof has at least one entry, so that the opening balance is proved too: if nothing was posted since
 * `from`, it begins an entry earlier.
 *
 * Resolves with a refusal (a Reply) if `to` is not sealed yet, or if there are more than 5,000 entries.
 * Everything that it reads is never changed, so it needs no transaction. */
export async function proofOfAccount(
  db: Transaction,
  accountId: string,
  { from, to, seal }: ProofWanted,
): Promise<{ proof: AccountProof } | { refusal: Reply }> {
  const order = to === undefined ? 'desc' : 'asc'
  const [leaf] = await db.query<LeafRow>({
    name: `proof-leaf-${order}`,
    text: `select s.leaf, s.version, s.hash, inclusion_path(s.leaf, k.size) as path, k.note
      from (select size, note from seals where $3::bigint is null or n = $3 order by n desc limit 1) k
      cross join lateral (
        select * from sealed s
        where s.account_id = $1 and s.version >= $2 and s.leaf < k.size
        order by s.version ${order} limit 1
      ) s`,
    values: [accountId, Math.max(from, to ?? 0), seal ?? null],
  })
  if (!leaf) return { refusal: notYetSealed() }
  const after = from < Number(leaf.version) ? BigInt(from) : leaf.version - 1n
  const count = leaf.version - after
  if (count > PROOF_ENTRIES_MAX) return { refusal: proofTooLong(count, leaf.version) }
  const rows = await db.query<ProvenRow>({
    name: 'proof-entries',
    text: `select version, transaction_id, amount, balance_after, hash,
        to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as created_at,
        to_char(value_date, 'YYYY-MM-DD') as value_date
      from entries where account_id = $1 and version between $2 and $3 order by version`,
    values: [accountId, after, leaf.version],
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
      leaf: { index: Number(leaf.leaf), version: Number(leaf.version), hash: leaf.hash.toString('hex') },
      path: leaf.path.map((hash) => hash.toString('hex')),
      checkpoint: leaf.note,
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

function notYetSealed(): Reply {
  const now = Date.now()
  const next = new Date(Math.ceil(now / SEAL_EVERY_MS) * SEAL_EVERY_MS)
  // A minute more, for the seal to be made.
  const headers = { 'retry-after': String(Math.ceil((next.getTime() - now) / 1000) + 60) }
  return problem(proofProblems.notYetSealed, `The next seal is made at ${next.toISOString()}.`, { headers })
}

const proofTooLong = (count: bigint, sealed: bigint): Reply =>
  problem(
    proofProblems.proofTooLong,
    `The proof up to version ${sealed} would have ${count} entries; at most ${PROOF_ENTRIES_MAX} are allowed. ` +
      'Ask for it in parts: with `from` and `to`, each part beginning where the one before ends.',
  )
