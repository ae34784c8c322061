import { createECDH } from 'node:crypto'
import type { Config } from '../../host/config.ts'
import type { OutgoingMessage, SendOutcome } from './outgoing.ts'
import { onOneLine } from './plain.ts'
import { postToProvider } from './provider.ts'
import { isPushService } from './push-services.ts'

/** A browser takes at most 4,096 bytes (RFC 8030, 7.2). */
const LENGTH_MAX = 600
/** How long the service keeps the message for a device that is off. */
const KEPT_SECONDS = 24 * 3_600

/** Sends a push message: encrypted for the browser (RFC 8291), signed with the bank's key (RFC 8292). Its
 * topic is the same for each attempt, so a second one replaces the first if that is not delivered yet.
 * `forget` removes the subscription, if the service says that it has ended. */
export async function sendPush(
  message: OutgoingMessage,
  config: Config,
  forget: (subscriptionId: string) => Promise<unknown>,
): Promise<SendOutcome> {
  const { VAPID_PUBLIC_KEY: publicKey, VAPID_PRIVATE_KEY: privateKey, VAPID_SUBJECT: subject } = config
  const { subscription } = message
  if (!publicKey || !privateKey || !subject) return { outcome: 'later', answer: 'the VAPID keys are not set' }
  if (!subscription) return { outcome: 'failed', answer: 'the subscription has ended' }
  if (!isPushService(subscription.endpoint, config.PUSH_SERVICES))
    return { outcome: 'failed', answer: 'the endpoint is not one of PUSH_SERVICES' }
  if (!isKey(subscription.keys.p256dh))
    return { outcome: 'failed', answer: 'the subscription has no valid key' }
  const { generateRequestDetails } = (await import('web-push')).default
  const payload = { id: message.id, title: message.title, body: onOneLine(message.text, LENGTH_MAX) }
  const { headers, body } = generateRequestDetails(subscription, JSON.stringify(payload), {
    vapidDetails: { subject, publicKey, privateKey },
    TTL: KEPT_SECONDS,
    contentEncoding: 'aes128gcm',
    topic: message.id.replaceAll('-', ''),
  })
  const { status, attempt } = await postToProvider({
    url: subscription.endpoint,
    // fetch() counts the bytes itself.
    headers: Object.fromEntries(
      Object.entries(headers).flatMap(([name, value]) =>
        name.toLowerCase() === 'content-length' ? [] : [[name, String(value)]],
      ),
    ),
    body: new Uint8Array(body!),
    timeoutMs: config.MESSAGE_TIMEOUT_MS,
  })
  if (status !== 404 && status !== 410) return attempt
  await forget(subscription.id)
  return { outcome: 'failed', answer: attempt.answer }
}

/** Returns whether a subscription's key is a point of its curve. Whoever uses the API can send any bytes, and
 * trying again does not mend them. */
function isKey(p256dh: string): boolean {
  try {
    const ecdh = createECDH('prime256v1')
    ecdh.generateKeys()
    return ecdh.computeSecret(p256dh, 'base64url').length > 0
  } catch {
    return false
  }
}
