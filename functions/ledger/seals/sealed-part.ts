import type { Transaction } from '../../host/database/database.ts'
import { define, problem } from '../../host/problems.ts'
import type { Reply } from '../../host/reply.ts'
import { SEAL_EVERY_MS } from './seal.ts'

/** Most entries of one proof: about a megabyte of JSON. */
const PROOF_ENTRIES_MAX = 5_000

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
  /** True if it goes on after `to`, up to the last version that was sealed. */
  goesOn?: boolean | undefined
  /** The number of the seal that it is to be proved with; without it, the last one. */
  seal?: number | undefined
}

/** How a proof ends, of entries or of holds. Hashes are in hex. */
export interface SealedEnd {
  /** What the ledger sealed of the account, and at which place of the tree. */
  leaf: { index: number; version: number; hash: string }
  /** From the leaf to the root (RFC 9162, 2.1.3). */
  path: string[]
  /** The signed root. */
  checkpoint: string
}

/** The part of a history that a proof covers. */
export interface SealedPart {
  /** Version of the opening. */
  after: bigint
  /** The version that was sealed. */
  upTo: bigint
  end: SealedEnd
}

/** The tables of leaves: of entries, and of entries of holds. */
export type Leaves = 'sealed' | 'sealed_holds'

type LeafRow = { leaf: bigint; version: bigint; hash: Buffer; path: Buffer[]; note: string }

/** Finds the part of an account's history after the version `from`, up to `to` or the first sealed version
 * after it. It has at least one entry, so that the opening is proved too: if there is none after `from`, the
 * part begins an entry earlier.
 *
 * Resolves with a refusal (a Reply) if `to` is not sealed yet, or if there are more than 5,000 entries. */
export async function sealedPart(
  db: Transaction,
  leaves: Leaves,
  accountId: string,
  { from, to, goesOn = to === undefined, seal }: ProofWanted,
): Promise<{ part: SealedPart } | { refusal: Reply }> {
  const order = goesOn ? 'desc' : 'asc'
  const [leaf] = await db.query<LeafRow>({
    name: `proof-leaf-${leaves}-${order}`,
    text: `select s.leaf, s.version, s.hash, inclusion_path(s.leaf, k.size) as path, k.note
      from (select size, note from seals where $3::bigint is null or n = $3 order by n desc limit 1) k
      cross join lateral (
        select * from ${leaves} s
        where s.account_id = $1 and s.version >= $2 and s.leaf < k.size
        order by s.version ${order} limit 1
      ) s`,
    values: [accountId, Math.max(from, to ?? 0), seal ?? null],
  })
  if (!leaf) return { refusal: notYetSealed() }
  const after = from < Number(leaf.version) ? BigInt(from) : leaf.version - 1n
  const count = leaf.version - after
  if (count > PROOF_ENTRIES_MAX) return { refusal: proofTooLong(count, after, leaf.version) }
  const end = {
    leaf: { index: Number(leaf.leaf), version: Number(leaf.version), hash: leaf.hash.toString('hex') },
    path: leaf.path.map((hash) => hash.toString('hex')),
    checkpoint: leaf.note,
  }
  return { part: { after, upTo: leaf.version, end } }
}

function notYetSealed(): Reply {
  const now = Date.now()
  const next = new Date(Math.ceil(now / SEAL_EVERY_MS) * SEAL_EVERY_MS)
  // A minute more, for the seal to be made.
  const headers = { 'retry-after': String(Math.ceil((next.getTime() - now) / 1000) + 60) }
  return problem(proofProblems.notYetSealed, `The next seal is made at ${next.toISOString()}.`, { headers })
}

const proofTooLong = (count: bigint, after: bigint, sealed: bigint): Reply =>
  problem(
    proofProblems.proofTooLong,
    `The proof from version ${after} up to version ${sealed} would have ${count} entries; at most ` +
      `${PROOF_ENTRIES_MAX} are allowed. Ask for it in parts: with \`from\` and \`to\`, each part beginning where ` +
      'the one before ends.',
  )
