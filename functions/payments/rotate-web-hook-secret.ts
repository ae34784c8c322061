import { operation, route } from '../host/operation.ts'
import { once } from '../host/database/idempotency.ts'
import { problems } from '../host/problems.ts'
import { idParams } from '../host/schema.ts'
import { requireCurrentOwner } from './customers/current-owner.ts'
import { HOOK_COLUMNS, hookNotFound, lockHook, toWebHook, webHookWithSecretSchema } from './web-hooks/hook.ts'
import type { WebHookRow } from './web-hooks/hook.ts'
import { withSecret } from './web-hooks/with-secret.ts'

/** How long the secret before stays valid beside the new one. */
const BOTH_VALID = '1 day'

export default operation({
  name: 'rotate-web-hook-secret',
  context: 'payments',
  summary: 'Gives a web hook a new secret',
  needs: ['WEB_HOOK_KEY'],
  routes: [
    route({
      method: 'POST',
      path: '/webhooks/{id}/secrets',
      who: 'signed-in',
      summary: 'Make a new secret; for a day everything is signed with the one before, too',
      params: idParams,
      answers: { 201: webHookWithSecretSchema },
      problems: [problems.notFound],
      idempotent: true,
      async handle({ params: { id }, caller, idempotencyKey, traceparent }, { transact, config }) {
        const reply = await transact(traceparent, (tx) =>
          once(tx, 'rotate-web-hook-secret', idempotencyKey, async () => {
            // Only its owner may know it, so another's hook does not exist here, for operators either.
            if (!(await lockHook(tx, id, caller.userId))) return hookNotFound(id)
            await requireCurrentOwner(tx, caller)
            const [row] = await tx.query<WebHookRow>({
              name: 'web-hook-rotate',
              text: `update web_hooks set secret_number = secret_number + 1,
                  previous_secret_until = date_trunc('milliseconds', now()) + interval '${BOTH_VALID}'
                where id = $1 returning ${HOOK_COLUMNS}`,
              values: [id],
            })
            return { status: 201, body: { ...toWebHook(row!), secret_number: row!.secret_number } }
          }),
        )
        return withSecret(reply, config.WEB_HOOK_KEY)
      },
    }),
  ],
})
