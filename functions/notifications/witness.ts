import type { LedgerSealed } from '../../eventing/contracts/ledger.sealed.ts'
import { UnavailableError } from '../../eventing/unavailable.ts'
import { openCheckpoint, CheckpointError, type Checkpoint } from '../host/transparency/checkpoint.ts'
import { isConsistent } from '../host/transparency/consistency.ts'
import { EventRefusedError } from '../host/http/events.ts'
import type { Transaction } from '../host/database/database.ts'
import type { Tools } from '../host/tools.ts'

/** A delivery of ledger.sealed. */
export interface SealDelivery {
  data: LedgerSealed
  traceparent: string
}

const LOCK = 6_927_003
/** How often the comparison starts again because another delivery stored a seal meanwhile. */
const ATTEMPTS = 5

/** Stores a seal if the seals that are stored already and this one can all be of one growing tree: next to it
 * in size, the smaller tree must be the beginning of the larger one. As a rule the event has the proof; after
 * a gap it is fetched from the ledger, whom nobody has to trust for it.
 *
 * Throws an EventRefusedError for a seal that contradicts a stored one, or is not signed. Then the ledger was
 * rewritten, or restored from an old backup. The event stays as a dead letter: it is the evidence. */
export async function witness({ data, traceparent }: SealDelivery, tools: Tools): Promise<void> {
  const sealed = opened(data, tools)
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const before = await neighbours(tools.db, sealed.size)
    for (const { older, newer } of pairsOf(before, sealed))
      await compare(older, newer, await proofFor(older, newer, data, traceparent, tools), data, tools)
    const isDone = await tools.db.transaction(async (tx) => {
      await tx.query({ text: 'select pg_advisory_xact_lock($1)', values: [LOCK] })
      const now = await neighbours(tx, sealed.size)
      if (String(now.map(({ size }) => size)) !== String(before.map(({ size }) => size))) return false
      await tx.query({
        name: 'witness-store',
        // Its size makes a seal one: that is signed. Its number and the event's id are not by the same key,
        // and must not keep out another seal.
        text: `insert into witnessed_seals (n, size, root, note) values ($1, $2, $3, $4)
          on conflict (size) do nothing`,
        values: [data.seal, sealed.size, sealed.root, data.checkpoint],
      })
      return true
    })
    if (isDone) return
  }
  throw new UnavailableError('other seals kept arriving')
}

/** Returns what the checkpoint says. Throws an EventRefusedError if it is not signed, or says something else
 * than the event. */
function opened(data: LedgerSealed, { config }: Tools): Checkpoint {
  try {
    const checkpoint = openCheckpoint(data.checkpoint, config.SEAL_KEYS)
    if (checkpoint.size === BigInt(data.size)) return checkpoint
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error
    throw new EventRefusedError(`Seal ${data.seal} is not a signed checkpoint: ${error.message}`)
  }
  throw new EventRefusedError(`The checkpoint of seal ${data.seal} is not of ${data.size} leaves.`)
}

/** The stored seals next to a size: the largest up to it, and the smallest from it on. */
const neighbours = (tx: Transaction, size: bigint): Promise<Checkpoint[]> =>
  tx.query<Checkpoint>({
    name: 'witness-neighbours',
    text: `(select size, root from witnessed_seals where size <= $1 order by size desc limit 1)
      union all
      (select size, root from witnessed_seals where size > $1 order by size limit 1)`,
    values: [size],
  })

type Pair = { older: Checkpoint; newer: Checkpoint }

const pairsOf = (stored: readonly Checkpoint[], sealed: Checkpoint): Pair[] =>
  stored.map((other) =>
    other.size <= sealed.size ? { older: other, newer: sealed } : { older: sealed, newer: other },
  )

async function proofFor(
  older: Checkpoint,
  newer: Checkpoint,
  data: LedgerSealed,
  traceparent: string,
  { call }: Tools,
): Promise<Buffer[]> {
  if (older.size === newer.size) return []
  const isInEvent = older.size === BigInt(data.old_size) && newer.size === BigInt(data.size)
  if (isInEvent) return fromHex(data.consistency)
  const path = `/seals/consistency?from=${older.size}&to=${newer.size}`
  const { status, body } = await call('seals', { path, traceparent })
  // The ledger can't prove it: its tree is smaller than one that it has sealed.
  if (status === 400) return []
  if (status !== 200) throw new UnavailableError(`the ledger answered ${status} for a consistency proof`)
  return fromHex((body as { consistency: string[] }).consistency)
}

const fromHex = (hashes: readonly string[]): Buffer[] => hashes.map((hash) => Buffer.from(hash, 'hex'))

async function compare(
  older: Checkpoint,
  newer: Checkpoint,
  proof: readonly Buffer[],
  { seal }: LedgerSealed,
  { log }: Tools,
): Promise<void> {
  if (isConsistent(older, newer, proof)) return
  const sizes = { older: Number(older.size), newer: Number(newer.size) }
  log.error('the ledger contradicts what it has sealed', { seal, ...sizes })
  throw new EventRefusedError(
    `Seal ${seal} contradicts a seal that was witnessed before: the tree of ${older.size} leaves is not the ` +
      `beginning of the tree of ${newer.size} leaves.`,
  )
}
