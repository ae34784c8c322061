import type { Transaction } from '../../host/database/database.ts'
import { define, problem } from '../../host/problems.ts'
import type { Reply } from '../../host/reply.ts'
import { SEAL_EVERY_MS } from './seal.ts'

/** Most entries of one proof: a megabyte and a half of JSON. */
const PROOF_ENTRIES_MAX = 5_000
/** An account with many entries has a leaf for each so many (seal_accounts()). So it can be proved in
 * parts. */
const LEAF_EVERY = 1_000

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
  /** True if it is given in parts where it has too many entries for one proof. */
  inParts?: boolean | undefined
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
  /** True if there is another part after it. */
  goesOn: boolean
  end: SealedEnd
}

/** The tables of leaves: of entries, and of entries of holds. */
export type Leaves = 'sealed' | 'sealed_holds'

type LeafRow = { leaf: bigint; version: bigint; hash: Buffer; path: Buffer[]; note: string }

/** Finds the part of an account's history after the version `from`, up to `to` or the first sealed version
 * after it. It has at least one entry, so that the opening is proved too: if there is none after `from`, the
 * part begins an entry earlier.
 *
 * Resolves with a refusal (a Reply) if `to` is not sealed yet, or if there are more than 5,000 entries and it
 * is not wanted in parts. */
export async function sealedPart(
  db: Transaction,
  leaves: Leaves,
  accountId: string,
  { from, to, goesOn = to === undefined, seal, inParts = false }: ProofWanted,
): Promise<{ part: SealedPart } | { refusal: Reply }> {
  const find = (range: LeafRange): Promise<LeafRow | undefined> => findLeaf(db, leaves, accountId, range)
  const leaf = await find({ from: Math.max(from, to ?? 0), to: null, isLast: goesOn, seal })
  if (!leaf) return { refusal: notYetSealed() }
  const after = from < Number(leaf.version) ? BigInt(from) : leaf.version - 1n
  const count = leaf.version - after
  if (count <= PROOF_ENTRIES_MAX) return { part: toPart(after, leaf, false) }
  const first = Number(after)
  const earlier =
    inParts && (await find({ from: first + 1, to: first + PROOF_ENTRIES_MAX, isLast: true, seal }))
  return earlier
    ? { part: toPart(after, earlier, true) }
    : { refusal: proofTooLong(leaves, accountId, after, leaf.version) }
}

/** What a bigint of Postgres can hold. */
const VERSION_MAX = 2n ** 63n - 1n

/** Versions that a leaf may have. */
interface LeafRange {
  from: number
  /** Null: without that end. */
  to: number | null
  /** True for the last leaf of the range, false for the first one. */
  isLast: boolean
  seal: number | undefined
}

async function findLeaf(
  db: Transaction,
  leaves: Leaves,
  accountId: string,
  { from, to, isLast, seal }: LeafRange,
): Promise<LeafRow | undefined> {
  const order = isLast ? 'desc' : 'asc'
  const [leaf] = await db.query<LeafRow>({
    name: `proof-leaf-${leaves}-${order}`,
    text: `select s.leaf, s.version, s.hash, inclusion_path(s.leaf, k.size) as path, k.note
      from (select size, note from seals where $3::bigint is null or n = $3 order by n desc limit 1) k
      cross join lateral (
        select * from ${leaves} s
        where s.account_id = $1 and s.version between $2 and $4 and s.leaf < k.size
        order by s.version ${order} limit 1
      ) s`,
    values: [accountId, from, seal ?? null, to ?? VERSION_MAX],
  })
  return leaf
}

const toPart = (after: bigint, leaf: LeafRow, goesOn: boolean): SealedPart => ({
  after,
  upTo: leaf.version,
  goesOn,
  end: {
    leaf: { index: Number(leaf.leaf), version: Number(leaf.version), hash: leaf.hash.toString('hex') },
    path: leaf.path.map((hash) => hash.toString('hex')),
    checkpoint: leaf.note,
  },
})

function notYetSealed(): Reply {
  const now = Date.now()
  const next = new Date(Math.ceil(now / SEAL_EVERY_MS) * SEAL_EVERY_MS)
  // A minute more, for the seal to be made.
  const headers = { 'retry-after': String(Math.ceil((next.getTime() - now) / 1000) + 60) }
  return problem(proofProblems.notYetSealed, `The next seal is made at ${next.toISOString()}.`, { headers })
}

function proofTooLong(leaves: Leaves, accountId: string, after: bigint, upTo: bigint): Reply {
  const path = `/api/accounts/${accountId}/${leaves === 'sealed' ? 'proof' : 'holds/proof'}`
  // The part ends with the first leaf from there on.
  const to = after + BigInt(PROOF_ENTRIES_MAX - LEAF_EVERY)
  return problem(
    proofProblems.proofTooLong,
    `The proof from version ${after} up to version ${upTo} would have ${upTo - after} entries; at most ` +
      `${PROOF_ENTRIES_MAX} are allowed. Ask for it in parts, each beginning where the one before ends. The ` +
      `first one is ${path}?from=${after}&to=${to}.`,
  )
}
