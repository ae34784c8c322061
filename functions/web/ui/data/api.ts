import { createClient } from '../../client/index.ts'
import { recordedFetch } from './calls.ts'
import { renewSession } from './session-renewal.ts'

/** Sends a request. If the session needs new cookies, gets them and sends it once more. */
async function fetchInSession(input: RequestInfo | URL, given?: RequestInit): Promise<Response> {
  const response = await recordedFetch(input, given)
  if (response.status !== 401 || String(input).startsWith('/api/session')) return response
  const renewed = await renewSession()
  if (renewed.ok) return recordedFetch(input, given)
  // Who can't renew the session at the moment is still signed in.
  return renewed.status === 401 ? response : renewed
}

/** The bank's client over the session's cookies. What it rejects with is in `@microbank/client`: a
 * BankProblem, or a NoAnswerError. */
export const api = createClient({ url: '', fetch: fetchInSession, timeoutMs: 15_000, totalMs: 20_000 })
