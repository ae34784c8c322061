import { UnavailableError } from '../../../eventing/unavailable.ts'
import type { Transaction } from '../../host/database/database.ts'
import { keyReused, replayed } from '../../host/database/idempotency.ts'
import { problem } from '../../host/problems.ts'
import type { Reply } from '../../host/reply.ts'
import type { Caller, RouteRequest } from '../../host/route-request.ts'
import type { Tools } from '../../host/tools.ts'
import { readAmount } from '../../host/values/money.ts'
import { claimKey, readKey, type ClaimedKey } from '../payments/keys.ts'
import { placingRefusal } from '../payments/refusals.ts'
import type { ProviderTransferKind } from './provider.ts'
import {
  findProviderTransfer,
  providerTransferColumns,
  readProviderTransfer,
  toProviderTransfer,
  type ProviderTransferRow,
} from './provider-transfer.ts'
import { findProvider } from './providers.ts'
import { PENDING_MAX, providerProblems } from './refusals.ts'
import { settleTransfer } from './settle.ts'

interface TransferBody {
  account_id: string
  amount: string | number
  currency: string
  description?: string
  payee_name?: string
  payee_account?: string
}

export type CreateRequest = Pick<
  RouteRequest<TransferBody, unknown, unknown>,
  'body' | 'caller' | 'idempotencyKey' | 'traceparent' | 'client'
>

/** Stores a top-up or withdrawal, then asks for it. Answers 201 with what it is then, also if the ledger or
 * the provider did not answer: it is decided, and a sweep goes on with it. A repeat with the same key gets
 * what has become of it. `check` may refuse before anything is stored. */
export async function createTransfer(
  kind: ProviderTransferKind,
  request: CreateRequest,
  tools: Tools,
  check: () => Promise<Reply | undefined> = () => Promise.resolve(undefined),
): Promise<Reply> {
  const { body, caller, idempotencyKey, traceparent } = request
  if (caller.role === 'operator')
    return problem(providerProblems.notForOperators, 'Customers move their own money only.')
  const amount = readAmount(body.amount, body.currency, '/amount')
  const earlier = await readKey(tools.db, idempotencyKey)
  if (earlier !== 'first') return repeat(kind, earlier, caller, tools, traceparent)
  const provider = findProvider(tools.config.PAYMENT_PROVIDER)
  if (!provider) return problem(providerProblems.none, 'Nothing can be topped up or withdrawn here.')
  const refused = await check()
  if (refused) return refused

  const stored = await tools.transact(traceparent, async (tx) => {
    if (await hasTooMany(tx, caller.userId)) return { about: 'nothing-changed' as const }
    const id = await newId(tx)
    const key = await claimKey(tx, kind, idempotencyKey, id)
    if (key !== 'first') return { key, about: 'nothing-changed' as const }
    const transfer = await store(tx, id, {
      kind,
      body,
      amount,
      userId: caller.userId,
      provider: provider.name,
    })
    return { transfer, about: { subject: id, ownerId: caller.userId } }
  })
  if ('key' in stored) return repeat(kind, stored.key, caller, tools, traceparent)
  if (!('transfer' in stored))
    return problem(providerProblems.tooMany, `${PENDING_MAX} are pending. Wait for one of them.`)
  return toReply(await goOn(stored.transfer, tools, traceparent), caller)
}

async function repeat(
  kind: ProviderTransferKind,
  key: Exclude<ClaimedKey, 'first'>,
  caller: Caller,
  tools: Tools,
  traceparent: string,
): Promise<Reply> {
  if (key === 'reused') return keyReused()
  const transfer = await findProviderTransfer(tools.db, { id: key.subject, kind }, caller)
  if (!transfer) throw new Error('the transfer of an idempotency key is not there')
  // The process that made it may have died.
  return replayed(toReply(await goOn(transfer, tools, traceparent), caller))
}

/** Settles a transfer as far as others answer. */
async function goOn(
  transfer: ProviderTransferRow,
  tools: Tools,
  traceparent: string,
): Promise<ProviderTransferRow> {
  try {
    return await settleTransfer(transfer, tools, traceparent)
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error
    return (await readProviderTransfer(tools.db, transfer.id)) ?? transfer
  }
}

function toReply(transfer: ProviderTransferRow, caller: Caller): Reply {
  const { id, kind, status, hold_id: holdId, failure } = transfer
  if (kind === 'withdrawal' && status === 'failed' && holdId === null) return placingRefusal(failure!)
  const headers = { location: `/api/payments/${kind}s/${id}` }
  return { status: 201, headers, body: toProviderTransfer(transfer, caller) }
}

/** Tells whether a customer has as many under way as they may. Until the transaction ends, nobody else asks
 * this for them: so requests at once can't pass the limit together. */
async function hasTooMany(tx: Transaction, userId: string): Promise<boolean> {
  await tx.query({
    name: 'provider-transfers-lock',
    text: `select pg_advisory_xact_lock(hashtextextended('transfers of ' || $1, 0))`,
    values: [userId],
  })
  const [row] = await tx.query<{ count: number }>({
    name: 'provider-transfers-pending',
    text: `select count(*)::integer as count from provider_transfers where user_id = $1 and ended_at is null`,
    values: [userId],
  })
  return row!.count >= PENDING_MAX
}

async function newId(tx: Transaction): Promise<string> {
  const [row] = await tx.query<{ id: string }>({ name: 'transfer-id', text: 'select uuidv7() as id' })
  return row!.id
}

interface NewTransfer {
  kind: ProviderTransferKind
  body: TransferBody
  amount: bigint
  userId: string
  provider: string
}

async function store(tx: Transaction, id: string, asked: NewTransfer): Promise<ProviderTransferRow> {
  const { kind, body, amount, userId, provider } = asked
  const [row] = await tx.query<ProviderTransferRow>({
    name: 'provider-transfer-insert',
    text: `insert into provider_transfers (id, kind, user_id, account_id, amount, currency, description, payee_name,
        payee_account, provider, status)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
      returning ${providerTransferColumns}`,
    values: [
      ...[id, kind, userId, body.account_id, amount, body.currency, body.description],
      ...[body.payee_name, body.payee_account, provider, kind === 'top-up' ? 'asking' : 'placing'],
    ],
  })
  return row!
}
