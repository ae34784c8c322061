import type { JsonWebKey } from 'node:crypto'
import { ledgerSealed } from '../../../eventing/contracts/ledger.sealed.ts'
import type { Transaction } from '../../host/database/database.ts'
import { signCheckpoint } from '../../host/transparency/checkpoint.ts'
import type { Tools } from '../../host/tools.ts'

/** What a round over the accounts did. */
export interface SealingRound {
  leaves: number
  /** Accounts that got no leaf, because their entries do not follow from what was sealed before. */
  broken: string[]
  /** False if the time was over before all accounts had their turn. */
  isComplete: boolean
}

const BEFORE_ALL = '00000000-0000-0000-0000-000000000000'
const AFTER_ALL = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

/** What one database transaction looks at, at most. A tenth of a second when the machine is idle. */
const STEP = { accounts: 5_000, entries: 20_000 }

/** The next hour begins a new seal (eventing/seals.yaml). */
export const SEAL_EVERY_MS = 3_600_000

/** What is sealed of accounts. */
type SealedKind = 'entries' | 'holds'

/** Appends a leaf for each account that has new entries, in steps, for at most `timeMs` milliseconds. It
 * begins where the round before ended, so each account has its turn, even if no round is ever complete. A
 * process that dies leaves whole steps behind; the next round goes on after them. */
export const sealAccounts = (tools: Pick<Tools, 'db'>, timeMs: number, step = STEP): Promise<SealingRound> =>
  round('entries', tools, timeMs, step)

/** The same for each account that has new entries of holds. */
export const sealHolds = (tools: Pick<Tools, 'db'>, timeMs: number, step = STEP): Promise<SealingRound> =>
  round('holds', tools, timeMs, step)

async function round(
  kind: SealedKind,
  { db }: Pick<Tools, 'db'>,
  timeMs: number,
  { accounts, entries }: typeof STEP,
): Promise<SealingRound> {
  const deadline = performance.now() + timeMs
  const [before] = await db.query<{ place: string }>({
    name: 'seal-place',
    text: 'select place from seal_rounds where kind = $1',
    values: [kind],
  })
  const start = before?.place ?? BEFORE_ALL
  const done: SealingRound = { leaves: 0, broken: [], isComplete: true }
  const parts = [
    [start, AFTER_ALL],
    [BEFORE_ALL, start],
  ] as const
  for (const [from, until] of parts.filter((part) => part[0] !== part[1])) {
    for (let after: string | null = from; after !== null;) {
      if (performance.now() >= deadline) return { ...done, isComplete: false }
      const step: StepRow = await oneView(db, (tx) => sealStep(tx, [kind, after, until, accounts, entries]))
      done.leaves += Number(step.leaves)
      done.broken.push(...step.broken)
      after = step.next
    }
  }
  return done
}

type StepRow = { leaves: bigint; next: string | null; broken: string[] }

async function sealStep(tx: Transaction, values: unknown[]): Promise<StepRow> {
  const text = 'select * from seal_accounts($1, $2, $3, $4, $5)'
  const [step] = await tx.query<StepRow>({ name: 'seal-accounts', text, values })
  return step!
}

/** Runs `work` in a database transaction whose statements all see the ledger at the same moment. */
const oneView = <T>(db: Tools['db'], work: (tx: Transaction) => Promise<T>): Promise<T> =>
  db.transaction(async (tx) => {
    await tx.query({ text: 'set transaction isolation level repeatable read' })
    return work(tx)
  })

type HeadRow = {
  n: bigint
  size: bigint
  root: Buffer
  old_size: bigint | null
  consistency: Buffer[] | null
}

/** Signs the tree as it is, and publishes that: a row in `seals` and the event ledger.sealed, in one database
 * transaction. Resolves with the number of the seal; undefined if no leaf was appended since the last one.
 * Rejects if the tree has changed where it was sealed: such a tree is never signed. */
export const seal = (
  { transact, config }: Pick<Tools, 'transact' | 'config'>,
  traceparent: string,
): Promise<bigint | undefined> =>
  transact(traceparent, async (tx) => {
    await tx.query({ text: 'set transaction isolation level repeatable read' })
    const [head] = await tx.query<HeadRow>({ name: 'seal-next', text: 'select * from next_seal()' })
    const { n, size, root, old_size: oldSize, consistency } = head!
    if (size === (oldSize ?? 0n)) return undefined
    const note = signCheckpoint({ size, root }, config.SEAL_SIGNING_KEY.keys as JsonWebKey[])
    const [row] = await tx.query<{ at: Date }>({
      name: 'seal-add',
      text: `with sealed_at as (select date_trunc('milliseconds', clock_timestamp()) as at)
        select at, add_seal($1, $2, at) from sealed_at`,
      values: [n, note],
    })
    tx.emit(ledgerSealed, {
      subject: String(n),
      partitionkey: 'seals',
      data: {
        seal: Number(n),
        size: Number(size),
        checkpoint: note,
        old_size: Number(oldSize ?? 0n),
        consistency: (consistency ?? []).map((hash) => hash.toString('hex')),
        timestamp: row!.at.toISOString(),
      },
    })
    return n
  })
