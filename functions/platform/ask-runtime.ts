import { UnavailableError } from '../../eventing/unavailable.ts'
import type { Tools } from '../host/tools.ts'

/** The host by which the runtime of a laptop tells of itself, over its gateway (knative/local/gateway). */
const RUNTIME = 'http://runtime.microbank.localhost'
const TIMEOUT_MS = 5_000

/** Asks the runtime of a laptop. Resolves with undefined if it has no such thing; rejects with an
 * UnavailableError if it does not answer. */
export async function askRuntime<Told>(tools: Pick<Tools, 'send'>, path: string): Promise<Told | undefined> {
  const { status, body } = await tools.send({ url: RUNTIME + path, method: 'GET', timeoutMs: TIMEOUT_MS })
  if (status === 404) return undefined
  if (status !== 200) throw new UnavailableError('the local runtime did not answer')
  return JSON.parse(body.toString()) as Told
}
