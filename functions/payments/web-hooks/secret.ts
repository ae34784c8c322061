import { createHmac } from 'node:crypto'

/** Returns the secret of a hook, as Standard Webhooks writes it: `whsec_` and 32 bytes in base64. It follows
 * from the bank's key, the hook's id and the number of the secret, so no secret is stored. */
export const secretOf = (key: string, hookId: string, number: number): string =>
  `whsec_${createHmac('sha256', key).update(`web hook ${hookId} secret ${number}`).digest('base64')}`

export interface SignedMessage {
  id: string
  /** Seconds since 1970. */
  timestamp: number | string
  body: string | Buffer
}

/** Returns the signature of a message with a secret, `whsec_` or not before its base64.
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
export const signatureOf = ({ id, timestamp, body }: SignedMessage, secret: string): Buffer =>
  createHmac('sha256', Buffer.from(secret.replace(/^whsec_/, ''), 'base64'))
    .update(`${id}.${timestamp}.`)
    .update(body)
    .digest()

/** Returns the headers by which a receiver knows that the bank sent a message, with a signature for each
 * secret. */
export function signedHeaders(message: SignedMessage, secrets: readonly string[]): Record<string, string> {
  const signatures = secrets.map((secret) => `v1,${signatureOf(message, secret).toString('base64')}`)
  return {
    'webhook-id': message.id,
    'webhook-timestamp': String(message.timestamp),
    'webhook-signature': signatures.join(' '),
  }
}
