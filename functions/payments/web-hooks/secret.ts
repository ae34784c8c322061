import { createHmac } from 'node:crypto'

/** Returns the secret of a hook, as Standard Webhooks writes it: `whsec_` and 32 bytes in base64. It follows
 * from the bank's key, the hook's id and the number of the secret, so no secret is stored. */
export const secretOf = (key: string, hookId: string, number: number): string =>
  `whsec_${createHmac('sha256', key).update(`web hook ${hookId} secret ${number}`).digest('base64')}`

export interface SignedMessage {
  id: string
  /** Seconds since 1970. */
  timestamp: number
  body: string
}

/** Returns the headers by which a receiver knows that the bank sent a message, with a signature for each
 * secret. https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
export function signedHeaders(
  { id, timestamp, body }: SignedMessage,
  secrets: readonly string[],
): Record<string, string> {
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice('whsec_'.length), 'base64')
    return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`
  })
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': signatures.join(' '),
  }
}
