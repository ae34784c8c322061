import type { EventContract } from '../../../eventing/contracts/contract.ts'
import { once } from '../../host/database/idempotency.ts'
import { define, problem, type ProblemType } from '../../host/problems.ts'
import type { Reply } from '../../host/reply.ts'
import type { RouteRequest } from '../../host/route-request.ts'
import type { Emitting, Tools } from '../../host/tools.ts'
import { postingProblems } from '../posting/refusals.ts'
import { ownerSeenBy, toAccount, type AccountRow } from './account.ts'

/** The refusals of change_account(), by their names, in their order of precedence. */
export const changeProblems = {
  'account-not-found': postingProblems['account-not-found'],
  'account-closed': postingProblems['account-closed'],
  'account-frozen': postingProblems['account-frozen'],
  'account-not-frozen': define('account-not-frozen', 409, 'The account is not frozen'),
  'account-not-empty': define('account-not-empty', 409, 'The balance of the account is not zero'),
  'account-has-holds': define('account-has-holds', 409, 'The account has open holds'),
  'overdraft-in-use': define('overdraft-in-use', 409, 'The account uses more than this overdraft limit'),
} as const satisfies Record<string, ProblemType>

export type ChangeRefusal = keyof typeof changeProblems

/** What each refusal means here. */
export const changeDetails: Record<ChangeRefusal, string> = {
  'account-not-found': 'There is no account with this id.',
  'account-closed': 'A closed account stays as it is.',
  'account-frozen': 'The account is frozen; it must be unfrozen first.',
  'account-not-frozen': 'Only a frozen account can be unfrozen.',
  'account-not-empty': 'Only an account with a balance of zero can be closed.',
  'account-has-holds': 'An account can be closed when its holds have been captured or released.',
  'overdraft-in-use': 'The balance, minus holds, is below zero by more than this limit.',
}

/** What change_account() shall do. */
export interface AskedChange {
  action: 'freeze' | 'unfreeze' | 'close' | 'change-overdraft'
  /** Null only if the owner closes the account. */
  reason: string | null
  /** In minor units; only for 'change-overdraft'. */
  overdraftLimit?: bigint
}

/** What was done. An account in which nothing changed has none. */
export interface DoneChange {
  account: AccountRow
  /** When; never before the account's last entry. */
  at: Date
  /** The value before: a status, or an overdraft limit in minor units. */
  from: string
}

/** How an operation tells its change. */
export interface ChangeEvent<Data> {
  contract: EventContract<Data>
  data: (done: DoneChange) => Data
}

type ChangedRow =
  | { refusal: ChangeRefusal }
  | ({ refusal: null; changed_at: Date | null; changed_from: string | null } & AccountRow)

/** Changes an account, once per Idempotency-Key, with its event in the same database transaction. Answers
 * with the account afterwards, or with a refusal of changeProblems; customers can change only their own. */
export function changeAccount<Data>(
  operation: string,
  asked: AskedChange,
  request: RouteRequest<unknown, unknown, { id: string }>,
  tools: Pick<Tools, 'transact'>,
  event: ChangeEvent<Data>,
): Promise<Reply> {
  const { idempotencyKey, traceparent } = request
  return tools.transact(traceparent, (tx) =>
    once(tx, operation, idempotencyKey, async () => {
      const row = await change(tx, asked, request)
      if (row.refusal !== null) return problem(changeProblems[row.refusal], changeDetails[row.refusal])
      const reply = { status: 200, body: toAccount(row) }
      if (!row.changed_at || row.changed_from === null) return { ...reply, about: 'nothing-changed' }
      tx.emit(event.contract, {
        subject: row.id,
        partitionkey: row.id,
        data: event.data({ account: row, at: row.changed_at, from: row.changed_from }),
      })
      return reply
    }),
  )
}

async function change(
  tx: Emitting,
  { action, reason, overdraftLimit }: AskedChange,
  { params: { id }, caller }: RouteRequest<unknown, unknown, { id: string }>,
): Promise<ChangedRow> {
  const [row] = await tx.query<ChangedRow>({
    name: 'account-change',
    text: `select refusal, (account).*, (change).at as changed_at, (change)."from" as changed_from
      from change_account($1, $2, $3, $4, $5, $6)`,
    values: [action, id, ownerSeenBy(caller), overdraftLimit, caller.userId, reason],
  })
  return row!
}

/** Returns the data that all events about an account's status have. */
export const statusEvent = <Reason>(reason: Reason, changedBy: string) => ({
  data: ({ account, at }: DoneChange) => ({
    account_id: account.id,
    user_id: account.user_id,
    reason,
    changed_by: changedBy,
    timestamp: at.toISOString(),
  }),
})
