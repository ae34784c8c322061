import { operation, route } from '../host/operation.ts'
import { earlierReply, once } from '../host/database/idempotency.ts'
import { issuedAt } from '../host/issued-since.ts'
import { problem } from '../host/problems.ts'
import type { Caller } from '../host/route-request.ts'
import type { Reply } from '../host/reply.ts'
import type { Emitting } from '../host/tools.ts'
import {
  HOOK_COLUMNS,
  HOOKS_MAX,
  refusedTypes,
  refusedUrl,
  toWebHook,
  typesSchema,
  urlSchema,
  webHookProblems,
  webHookWithSecretSchema,
  type WebHookRow,
} from './web-hooks/hook.ts'
import { requireCurrentOwner } from './customers/current-owner.ts'
import { requireWatch, wantsWatch, watch } from './web-hooks/watch.ts'
import { withSecret } from './web-hooks/with-secret.ts'

export default operation({
  name: 'create-web-hook',
  context: 'payments',
  summary: 'Creates a web hook: an address to which the bank posts events',
  needs: ['WEB_HOOK_KEY', 'PAYMENTS_CALL_KEY'],
  routes: [
    route({
      method: 'POST',
      path: '/webhooks',
      who: 'signed-in',
      summary: 'Create a web hook; the answer has its secret, which no other answer has',
      body: {
        type: 'object',
        additionalProperties: false,
        required: ['url', 'types'],
        properties: { url: urlSchema, types: typesSchema },
      },
      answers: { 201: webHookWithSecretSchema },
      problems: [webHookProblems.urlRefused, webHookProblems.tooMany, webHookProblems.ownerLeft],
      idempotent: true,
      async handle({ body, caller, idempotencyKey, traceparent }, tools) {
        const { transact, config } = tools
        const refusal =
          refusedTypes(body.types, caller) ?? (await refusedUrl(body.url, config.WEB_HOOK_PRIVATE_ADDRESSES))
        if (refusal) return refusal
        // A repeated request needs no watch, so it gets its answer also if the ledger can't be reached.
        const earlier = await earlierReply(tools.db, idempotencyKey)
        if (earlier) return withSecret(earlier, config.WEB_HOOK_KEY)
        const watcher = { userId: caller.userId, seesAll: isOperators(caller) }
        const version = wantsWatch({ ...body, status: 'active' })
          ? await watch(tools, watcher, traceparent)
          : undefined
        const reply = await transact(traceparent, (tx) =>
          once(tx, 'create-web-hook', idempotencyKey, () => create(tx, body, caller, version)),
        )
        return withSecret(reply, config.WEB_HOOK_KEY)
      },
    }),
  ],
})

const isOperators = ({ role }: Caller): boolean => role === 'operator'

/** `version` is that of the watch that was begun for it, if one was. */
async function create(
  tx: Emitting,
  { url, types }: { url: string; types: string[] },
  caller: Caller,
  version: bigint | undefined,
): Promise<Reply> {
  const { userId } = caller
  // The owner's row is locked, so no hook is made at the same time, nor while they leave.
  const [owner] = await tx.query<{ left_at: Date | null; watch_ending: bigint }>({
    name: 'web-hook-owner',
    text: `insert into web_hook_owners (user_id) values ($1)
      on conflict (user_id) do update set left_at = web_hook_owners.left_at returning left_at, watch_ending`,
    values: [userId],
  })
  await requireCurrentOwner(tx, caller)
  if (owner!.left_at) return problem(webHookProblems.ownerLeft, 'A customer who has left gets no web hook.')
  if (wantsWatch({ types, status: 'active' })) requireWatch(version, owner!.watch_ending)
  const [row] = await tx.query<WebHookRow>({
    name: 'web-hook-create',
    text: `insert into web_hooks (user_id, is_operators, url, types, token_issued_at)
      select $1, $2, $3, $4, $5 where (select count(*) from web_hooks where user_id = $1) < ${HOOKS_MAX}
      returning ${HOOK_COLUMNS}`,
    values: [userId, isOperators(caller), url, types, issuedAt(caller)],
  })
  if (!row) return problem(webHookProblems.tooMany, `A user can have ${HOOKS_MAX} web hooks.`)
  // Without the secret: what is stored with the Idempotency-Key must not have it.
  return { status: 201, body: { ...toWebHook(row), secret_number: row.secret_number } }
}
