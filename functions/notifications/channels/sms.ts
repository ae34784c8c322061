import type { Config } from '../../host/config.ts'
import type { OutgoingMessage, SendOutcome } from './outgoing.ts'
import { onOneLine } from './plain.ts'
import { postToProvider } from './provider.ts'

/** Four parts of a long text message. */
const LENGTH_MAX = 600

/** Sends a message as a text message. The provider gets the message's id as Idempotency-Key, the same for
 * each attempt. */
export async function sendSms(message: OutgoingMessage, config: Config): Promise<SendOutcome> {
  const { SMS_URL: url, SMS_TOKEN: bearer, SMS_BODY: template } = config
  if (!url) return { outcome: 'later', answer: 'SMS_URL is not set' }
  if (message.to === null) return { outcome: 'failed', answer: 'no phone number is known' }
  const values = { to: message.to, text: onOneLine(message.text, LENGTH_MAX), id: message.id }
  const { attempt } = await postToProvider({
    url,
    headers: {
      'content-type': 'application/json',
      'idempotency-key': message.id,
      ...(bearer && { authorization: `Bearer ${bearer}` }),
    },
    body: JSON.stringify(filled(template, values)),
    timeoutMs: config.MESSAGE_TIMEOUT_MS,
  })
  return attempt
}

/** Puts values into the texts of a JSON template. It works on the parsed template, so no value can become a
 * part of its structure. */
function filled(template: unknown, values: Readonly<Record<string, string>>): unknown {
  if (typeof template === 'string')
    return template.replaceAll(/\{(to|text|id)\}/g, (_, name: string) => values[name]!)
  if (Array.isArray(template)) return template.map((item) => filled(item, values))
  if (typeof template !== 'object' || template === null) return template
  return Object.fromEntries(Object.entries(template).map(([name, value]) => [name, filled(value, values)]))
}
