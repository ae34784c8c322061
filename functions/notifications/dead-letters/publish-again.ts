import { eventRequest } from '../../../eventing/http-binding.ts'
import { parseStructured } from '../../../eventing/structured.ts'
import { UnavailableError } from '../../../eventing/unavailable.ts'
import type { Tools } from '../../host/tools.ts'

/** Milliseconds. Letters are locked meanwhile: others wait 4 s for a lock, and after 10 s without a statement
 * the database ends a transaction. Then what was sent with a late one would be sent again and again. */
const TIMEOUT_MS = 3_000

/** Publishes the event as it first was: same id, signature and bytes. Its context does not matter. Resolves
 * with the Broker's status: 202 if it took the event. Rejects with an UnavailableError if it does not
 * answer. */
export async function publishAgain(
  text: string,
  { send, config }: Pick<Tools, 'send' | 'config'>,
): Promise<number> {
  const { headers, body } = eventRequest(parseStructured(Buffer.from(text)))
  const request = { url: config.BROKER_URL, method: 'POST', headers, body, timeoutMs: TIMEOUT_MS }
  return (await send(request)).status
}

/** Makes the error of a Broker that did not take an event. */
export const notTaken = (status: number): UnavailableError =>
  new UnavailableError(`the Broker answered ${status}`)
