import type { Reply } from '../../host/reply.ts'
import { secretOf } from './secret.ts'

/** Puts the secret into an answer that has the hook's `id` and the `secret_number`. A repeat of the answer
 * gets the same secret, although it is stored nowhere. */
export function withSecret(reply: Reply, key: string): Reply {
  if (reply.status >= 300) return reply
  const { secret_number: number, ...hook } = reply.body as { id: string; secret_number: number }
  return { ...reply, body: { ...hook, secret: secretOf(key, hook.id, number) } }
}
