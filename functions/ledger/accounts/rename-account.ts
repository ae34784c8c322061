import { once } from '../../host/database/idempotency.ts'
import { problem } from '../../host/problems.ts'
import type { Reply } from '../../host/reply.ts'
import type { RouteRequest } from '../../host/route-request.ts'
import type { Tools } from '../../host/tools.ts'
import { ownerSeenBy, toAccount, type AccountRow } from './account.ts'
import { changeDetails, changeProblems } from './change-account.ts'

type RenamedRow = { refusal: 'account-not-found' | 'account-closed' } | ({ refusal: null } & AccountRow)

/** Gives an account another name, or none, once per Idempotency-Key. Answers with the account afterwards, or
 * with a refusal of changeProblems; customers can rename only their own. */
export function renameAccount(
  operation: string,
  name: string | null,
  { params: { id }, caller, idempotencyKey, traceparent }: RouteRequest<unknown, unknown, { id: string }>,
  tools: Pick<Tools, 'transact'>,
): Promise<Reply> {
  return tools.transact(traceparent, (tx) =>
    once(tx, operation, idempotencyKey, async () => {
      const [row] = await tx.query<RenamedRow>({
        name: 'account-rename',
        text: 'select refusal, (account).* from rename_account($1, $2, $3)',
        values: [id, ownerSeenBy(caller), name],
      })
      const { refusal } = row!
      if (refusal !== null) return problem(changeProblems[refusal], changeDetails[refusal])
      return { status: 200, body: toAccount(row as AccountRow) }
    }),
  )
}
