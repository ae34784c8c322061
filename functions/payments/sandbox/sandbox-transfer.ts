import type { Transaction } from '../../host/database/database.ts'
import { uuidSchema } from '../../host/schema.ts'
import { formatAmount } from '../../host/values/money.ts'

/** What the sandbox does with an amount, by its last two digits in minor units. All other amounts are
 * accepted, and settled a little later. */
export const MAGIC = {
  refused: 1n,
  failsLater: 2n,
  noHook: 3n,
  otherAmount: 4n,
  settledAtOnce: 5n,
  failsAfterSettled: 6n,
} as const

export const isMagic = (amount: bigint, what: keyof typeof MAGIC): boolean => amount % 100n === MAGIC[what]

export interface SandboxRow {
  reference: string
  kind: 'top-up' | 'withdrawal'
  /** Minor units. */
  amount: bigint
  currency: string
  state: 'pending' | 'settled' | 'failed'
  reason: string | null
  /** Milliseconds until it settles; not positive if it may now. */
  due_in_ms: number
}

const columns = `reference, kind, amount, currency, state, reason,
  (extract(epoch from settles_at - clock_timestamp()) * 1000)::float8 as due_in_ms`

export const sandboxSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['reference', 'id', 'kind', 'state', 'amount', 'currency', 'reason', 'next_url'],
  properties: {
    reference: uuidSchema,
    id: { type: 'string' },
    kind: { enum: ['top-up', 'withdrawal'] },
    state: { enum: ['pending', 'settled', 'failed'] },
    amount: { type: 'string' },
    currency: { type: 'string' },
    reason: { type: ['string', 'null'] },
    next_url: { type: ['string', 'null'] },
  },
} as const

/** Returns a transfer as the sandbox shows it. */
export const toSandbox = (row: SandboxRow, state: SandboxRow['state'] = row.state, amount = row.amount) => ({
  reference: row.reference,
  id: `sandbox_${row.reference.replaceAll('-', '')}`,
  kind: row.kind,
  state,
  amount: formatAmount(amount, row.currency),
  currency: row.currency,
  reason: state === 'failed' ? (row.reason ?? 'declined') : null,
  next_url: null,
})

export async function findSandbox(
  tx: Transaction,
  reference: string,
  lock: '' | 'for update' = '',
): Promise<SandboxRow | undefined> {
  const [row] = await tx.query<SandboxRow>({
    name: `sandbox-find ${lock}`,
    text: `select ${columns} from sandbox_transfers where reference = $1 ${lock}`,
    values: [reference],
  })
  return row
}

/** Stores a transfer once; undefined if there is one with its reference. */
export async function storeSandbox(
  tx: Transaction,
  { reference, kind, amount, currency, state, due_in_ms: dueInMs }: Omit<SandboxRow, 'reason'>,
): Promise<SandboxRow | undefined> {
  const [row] = await tx.query<SandboxRow>({
    name: 'sandbox-insert',
    text: `insert into sandbox_transfers (reference, kind, amount, currency, state, settles_at)
      values ($1, $2, $3, $4, $5, now() + $6::float8 * interval '1 millisecond')
      on conflict do nothing returning ${columns}`,
    values: [reference, kind, amount, currency, state, dueInMs],
  })
  return row
}

/** Ends a transfer that is pending. */
export async function endSandbox(
  tx: Transaction,
  reference: string,
  state: 'settled' | 'failed',
  reason: string | null = null,
): Promise<void> {
  await tx.query({
    name: 'sandbox-end',
    text: `update sandbox_transfers set state = $2, reason = $3 where reference = $1 and state = 'pending'`,
    values: [reference, state, reason],
  })
}
