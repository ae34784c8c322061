import { timingSafeEqual } from 'node:crypto'
import { signatureOf } from '../web-hooks/secret.ts'
import { HookRefusedError, type ReceivedHook } from './provider.ts'

/** Seconds that a signature may be old, or ahead of our clock. */
const TOLERANCE_SECONDS = 300

/** Checks that a web hook is signed with one of the secrets, as Standard Webhooks says, and returns its id.
 * Throws a HookRefusedError otherwise. The header may have several signatures, and there may be two secrets
 * while one replaces the other. Which of them failed at what is told to nobody.
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
export function verifyStandardWebhook(
  { header, body, now }: ReceivedHook,
  secrets: readonly string[],
): { id: string } {
  const id = header('webhook-id')
  const timestamp = header('webhook-timestamp')
  const signatures = header('webhook-signature')
  if (!id || !timestamp || !signatures)
    throw new HookRefusedError('webhook-id, webhook-timestamp and webhook-signature must be sent.')
  if (!/^[\x21-\x7e]{1,200}$/.test(id) || !/^[1-9]\d{0,11}$/.test(timestamp))
    throw new HookRefusedError('webhook-id or webhook-timestamp is not well formed.')
  if (Math.abs(now / 1000 - Number(timestamp)) > TOLERANCE_SECONDS)
    throw new HookRefusedError('webhook-timestamp is more than five minutes away.')
  const sent = signatures
    .split(' ')
    .flatMap((one) => (one.startsWith('v1,') ? [Buffer.from(one.slice(3), 'base64')] : []))
  const isSigned = secrets.some((secret) => {
    const expected = signatureOf({ id, timestamp, body }, secret)
    return sent.some((one) => one.length === expected.length && timingSafeEqual(one, expected))
  })
  if (!isSigned) throw new HookRefusedError('No signature is valid.')
  return { id }
}
