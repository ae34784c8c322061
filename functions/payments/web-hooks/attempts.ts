import { webhookPaused } from '../../../eventing/contracts/webhook.paused.ts'
import type { Emitting, Tools } from '../../host/tools.ts'
import type { AttemptOutcome } from './post-web-hook.ts'
import { planAfterFailure } from './schedule.ts'
import { secretOf, signedHeaders } from './secret.ts'

/** Attempts on one hook at the same time. So one that is slow or dead holds few places of this function. */
const PLACES = 4

/** Less than the Service's 30 s. What is left then waits for the next event, or for the sweep. */
const TIME_MS_MAX = 15_000

/** How long a hook may take to answer. */
const ANSWER_MS_MAX = 5_000

/** A hook that takes longer is slow, and has fewer places for a while: see claim_web_hook_deliveries(). */
const SLOW_MS = 2_000
const SLOW_FOR = '10 minutes'

interface ClaimedDelivery {
  id: string
  attempt: number
  body: string
  url: string
  secret_number: number
  has_previous_secret: boolean
}

type DeliveryTools = Pick<Tools, 'db' | 'transact' | 'config' | 'log'>

/** Posts what is due for a hook, until nothing is due or the time is over.
 *
 * A delivery is claimed before its attempt and settled after it, each in a database transaction of its own.
 * If the process dies in between, the claim is over after 30 seconds, and a sweep has the delivery attempted
 * again, with the same webhook-id. So a receiver gets each at least once. */
export async function deliverTo(hookId: string, tools: DeliveryTools, traceparent: string): Promise<void> {
  const endsAt = performance.now() + TIME_MS_MAX
  while (performance.now() < endsAt) {
    const claimed = await tools.db.query<ClaimedDelivery>({
      name: 'web-hook-claim',
      text: 'select * from claim_web_hook_deliveries($1, $2)',
      values: [hookId, PLACES],
    })
    if (claimed.length === 0) return
    // Each is settled, also if another can't be.
    const settled = await Promise.allSettled(
      claimed.map(async (delivery) => {
        const outcome = await attempt(hookId, delivery, tools)
        await tools.transact(traceparent, (tx) => settle(tx, hookId, delivery, outcome))
      }),
    )
    for (const one of settled) if (one.status === 'rejected') throw one.reason
  }
}

async function attempt(
  hookId: string,
  { id, body, url, secret_number: number, has_previous_secret: hasPrevious }: ClaimedDelivery,
  { config }: DeliveryTools,
): Promise<AttemptOutcome> {
  const { postWebHook, rulesFor } = await import('./post-web-hook.ts')
  const numbers = hasPrevious ? [number, number - 1] : [number]
  const secrets = numbers.map((each) => secretOf(config.WEB_HOOK_KEY, hookId, each))
  const timestamp = Math.floor(Date.now() / 1000)
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'microbank',
    ...signedHeaders({ id, timestamp, body }, secrets),
  }
  return postWebHook(
    { url, headers, body, timeoutMs: ANSWER_MS_MAX },
    rulesFor(config.WEB_HOOK_PRIVATE_ADDRESSES),
  )
}

interface FailingHook {
  user_id: string
  url: string
  status: string
  failures: number
  failing_for_ms: number | null
}

/** Stores the outcome of an attempt, and what follows from it for the delivery and its hook. */
async function settle(
  tx: Emitting,
  hookId: string,
  delivery: ClaimedDelivery,
  outcome: AttemptOutcome,
): Promise<void> {
  // The hook's row comes first, here as in every other transaction. It is gone if the hook was deleted.
  const [hook] = await tx.query<FailingHook>({
    name: 'web-hook-to-settle',
    text: `select user_id, url, status, failures,
        (extract(epoch from now() - failing_since) * 1000)::float8 as failing_for_ms
      from web_hooks where id = $1 for update`,
    values: [hookId],
  })
  if (!hook) return
  if (outcome.durationMs > SLOW_MS)
    await tx.query({
      name: 'web-hook-slow',
      text: `update web_hooks set slow_until = now() + interval '${SLOW_FOR}' where id = $1`,
      values: [hookId],
    })
  if (outcome.isDelivered) await settleSuccess(tx, hookId, delivery, outcome)
  else await settleFailure(tx, hookId, hook, delivery, outcome)
}

async function settleSuccess(
  tx: Emitting,
  hookId: string,
  { id }: ClaimedDelivery,
  { httpStatus, answer, durationMs }: AttemptOutcome,
): Promise<void> {
  // Also if the claim was over and somebody else has taken it: it was delivered.
  await tx.query({
    name: 'web-hook-delivered',
    text: `update web_hook_deliveries set status = 'delivered', claimed_at = null, attempted_at = now(),
        duration_ms = $2, http_status = $3, error = null, answer = $4
      where id = $1`,
    values: [id, durationMs, httpStatus, answer],
  })
  await tx.query({
    name: 'web-hook-well',
    text: `update web_hooks set failures = 0, failing_since = null, blocked_until = null
      where id = $1 and failures > 0`,
    values: [hookId],
  })
}

async function settleFailure(
  tx: Emitting,
  hookId: string,
  hook: FailingHook,
  { id, attempt: number }: ClaimedDelivery,
  { httpStatus, error, answer, durationMs }: AttemptOutcome,
): Promise<void> {
  const hookFailures = hook.failures + 1
  const failingForMs = hook.failing_for_ms ?? 0
  const plan = planAfterFailure({ attempt: number, httpStatus, hookFailures, failingForMs }, Math.random())
  // If the claim was over and somebody else has taken it, the outcome is theirs to store.
  await tx.query({
    name: 'web-hook-not-delivered',
    text: `update web_hook_deliveries set claimed_at = null, attempted_at = now(),
        status = case when $3::float8 is null then 'failed' else 'pending' end,
        next_attempt_at = now() + coalesce($3::float8, 0) * interval '1 millisecond',
        duration_ms = $4, http_status = $5, error = $6, answer = $7
      where id = $1 and attempts = $2 and status = 'pending'`,
    values: [id, number, plan.retryAfterMs, durationMs, httpStatus, error, answer],
  })
  const pause = hook.status === 'active' ? plan.pause : null
  const [{ failed_at: failedAt }] = (await tx.query<{ failed_at: Date }>({
    name: 'web-hook-failed',
    text: `update web_hooks set failures = $2, failed_at = now(),
        failing_since = coalesce(failing_since, now()),
        blocked_until = now() + $3::float8 * interval '1 millisecond',
        status = case when $4::text is null then status else 'paused' end,
        paused_because = coalesce($4, paused_because)
      where id = $1 returning failed_at`,
    values: [hookId, hookFailures, plan.blockForMs, pause],
  })) as [{ failed_at: Date }]
  if (!pause) return
  tx.emit(webhookPaused, {
    subject: hookId,
    partitionkey: hook.user_id,
    data: {
      web_hook_id: hookId,
      user_id: hook.user_id,
      host: new URL(hook.url).host,
      reason: pause,
      timestamp: failedAt.toISOString(),
    },
  })
}
