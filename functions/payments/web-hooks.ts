import { webhookQueued } from '../../eventing/contracts/webhook.queued.ts'
import { operation, route } from '../host/operation.ts'
import { earlierReply, once } from '../host/database/idempotency.ts'
import { decodeCursor, page, pageOf, pageQuery } from '../host/database/paging.ts'
import { problems } from '../host/problems.ts'
import type { Reply } from '../host/reply.ts'
import { idParams, uuidSchema } from '../host/schema.ts'
import type { Emitting, Tools } from '../host/tools.ts'
import { requireCurrentOwner } from './customers/current-owner.ts'
import {
  HOOK_COLUMNS,
  hookNotFound,
  lockHook,
  ownerSeenBy,
  refusedTypes,
  refusedUrl,
  toWebHook,
  typesSchema,
  urlSchema,
  webHookProblems,
  webHookSchema,
  type WebHookRow,
} from './web-hooks/hook.ts'
import {
  lockOwner,
  requireWatch,
  wantsWatch,
  watch,
  type Watcher,
  type WatchingHook,
} from './web-hooks/watch.ts'

export default operation({
  name: 'web-hooks',
  context: 'payments',
  summary: 'Lists, shows, changes, pauses, resumes and deletes web hooks',
  needs: ['PAYMENTS_CALL_KEY'],
  routes: [
    route({
      method: 'GET',
      path: '/webhooks',
      who: 'signed-in',
      summary: 'The web hooks of the caller, newest first; an operator sees everybody’s',
      query: {
        type: 'object',
        additionalProperties: false,
        properties: { ...pageQuery, user_id: uuidSchema },
      },
      answers: { 200: pageOf(webHookSchema) },
      async handle({ query: { limit, cursor, user_id: owner }, caller }, { db }) {
        const rows = await db.query<WebHookRow>({
          name: 'web-hooks-list',
          text: `select ${HOOK_COLUMNS} from web_hooks
            where ($1::uuid is null or user_id = $1) and ($2::uuid is null or user_id = $2)
              and ($3::uuid is null or id < $3)
            order by id desc limit $4`,
          values: [ownerSeenBy(caller), owner, decodeCursor(cursor), limit + 1],
        })
        return { status: 200, body: page(rows, limit, toWebHook) }
      },
    }),
    route({
      method: 'GET',
      path: '/webhooks/{id}',
      who: 'signed-in',
      summary: 'One web hook',
      params: idParams,
      answers: { 200: webHookSchema },
      problems: [problems.notFound],
      async handle({ params: { id }, caller }, { db }) {
        const [row] = await db.query<WebHookRow>({
          name: 'web-hook-get',
          text: `select ${HOOK_COLUMNS} from web_hooks where id = $1 and ($2::uuid is null or user_id = $2)`,
          values: [id, ownerSeenBy(caller)],
        })
        return row ? { status: 200, body: toWebHook(row) } : hookNotFound(id)
      },
    }),
    route({
      method: 'PATCH',
      path: '/webhooks/{id}',
      who: 'signed-in',
      summary: 'Change the URL or the types, pause, or resume; an operator can only pause another’s',
      params: idParams,
      body: {
        type: 'object',
        additionalProperties: false,
        minProperties: 1,
        properties: { url: urlSchema, types: typesSchema, status: { enum: ['active', 'paused'] } },
      },
      answers: { 200: webHookSchema },
      problems: [problems.notFound, webHookProblems.urlRefused],
      idempotent: true,
      async handle({ params: { id }, body, caller, idempotencyKey, traceparent }, tools) {
        const { transact, config } = tools
        const refusal =
          (body.types && refusedTypes(body.types, caller)) ??
          (body.url === undefined ? undefined : await refusedUrl(body.url, config.WEB_HOOK_PRIVATE_ADDRESSES))
        if (refusal) return refusal
        const isPause = Object.keys(body).join() === 'status' && body.status === 'paused'
        if (isPause)
          return transact(traceparent, (tx) =>
            once(tx, 'web-hooks', idempotencyKey, async () =>
              (await lockHook(tx, id, ownerSeenBy(caller))) ? change(tx, id, body) : hookNotFound(id),
            ),
          )
        // A repeated request needs no watch.
        const earlier = await earlierReply(tools.db, idempotencyKey)
        if (earlier) return earlier
        const version = await watchFor(tools, { id, userId: caller.userId }, body, traceparent)
        return transact(traceparent, (tx) =>
          once(tx, 'web-hooks', idempotencyKey, async () => {
            const ending = await lockOwner(tx, caller.userId)
            const hook = await lockHook(tx, id, caller.userId)
            if (!hook) return hookNotFound(id)
            await requireCurrentOwner(tx, caller)
            if (needsWatch(hook, body)) requireWatch(version, ending)
            return change(tx, id, body)
          }),
        )
      },
    }),
    route({
      method: 'DELETE',
      path: '/webhooks/{id}',
      who: 'signed-in',
      summary: 'Delete a web hook, with its deliveries',
      params: idParams,
      answers: { 204: undefined },
      problems: [problems.notFound],
      handle: ({ params: { id }, caller, traceparent }, { transact }) =>
        transact(traceparent, async (tx): Promise<Reply> => {
          const hook = await lockHook(tx, id, ownerSeenBy(caller))
          if (!hook) return hookNotFound(id)
          await tx.query({
            name: 'web-hook-delete',
            text: 'delete from web_hooks where id = $1',
            values: [id],
          })
          return { status: 204, about: { subject: id, ownerId: hook.user_id } }
        }),
    }),
  ],
})

interface AskedHook {
  url?: string
  types?: string[]
  status?: 'active' | 'paused'
}

/** Says whether a hook will want a watch after a change, and does not yet. */
const needsWatch = (hook: WatchingHook, { types, status }: AskedHook): boolean =>
  wantsWatch({ types: types ?? hook.types, status: status ?? hook.status }) && !wantsWatch(hook)

/** Begins a watch if a hook will want one after a change. Resolves with its version; undefined if it needs
 * none, or if the owner has no such hook. */
async function watchFor(
  tools: Pick<Tools, 'db' | 'callFor'>,
  { id, userId }: { id: string; userId: string },
  asked: AskedHook,
  traceparent: string,
): Promise<bigint | undefined> {
  const [hook] = await tools.db.query<WatchingHook & Pick<Watcher, 'seesAll'>>({
    name: 'web-hook-watching',
    text: `select types, status, is_operators as "seesAll" from web_hooks where id = $1 and user_id = $2`,
    values: [id, userId],
  })
  return hook && needsWatch(hook, asked)
    ? watch(tools, { userId, seesAll: hook.seesAll }, traceparent)
    : undefined
}

/** Changes a hook that the transaction has locked. A resumed one starts without its failures, and what waits
 * for it is due at once. */
async function change(tx: Emitting, id: string, { url, types, status }: AskedHook): Promise<Reply> {
  const [row] = await tx.query<WebHookRow>({
    name: 'web-hook-change',
    text: `update web_hooks set url = coalesce($2, url), types = coalesce($3, types), status = coalesce($4, status),
        paused_because = case coalesce($4, status)
          when 'paused' then coalesce(paused_because, 'asked')
        end,
        failures = case $4 when 'active' then 0 else failures end,
        failing_since = case $4 when 'active' then null else failing_since end,
        blocked_until = case $4 when 'active' then null else blocked_until end
      where id = $1 returning ${HOOK_COLUMNS}`,
    values: [id, url, types, status],
  })
  if (status === 'active') {
    await tx.query({
      name: 'web-hook-hasten',
      text: `update web_hook_deliveries set next_attempt_at = now() where web_hook_id = $1 and status = 'pending'`,
      values: [id],
    })
    tx.emit(webhookQueued, { subject: id, partitionkey: id, data: { web_hook_id: id } })
  }
  return { status: 200, body: toWebHook(row!) }
}
