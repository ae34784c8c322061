import { recordedFetch } from './calls.ts'

let renewal: Promise<Response> | undefined
const endings = new Set<() => void>()

/** Calls `act` when the session turns out to have ended. Returns what stops that. */
export function onSessionEnd(act: () => void): () => void {
  endings.add(act)
  return () => endings.delete(act)
}

/** Exchanges the session's cookies for new ones, once for all calls that wait for it. Resolves with the
 * answer: 401 if the session has ended. Any other failure may pass: the next call tries again. */
export async function renewSession(): Promise<Response> {
  renewal ??= renewAlone().finally(() => (renewal = undefined))
  return (await renewal).clone()
}

/** Tabs share the cookies: two that renew at once could end their session. http://microbank.local is no
 * secure context and has no locks; the bank accepts the same cookie twice within ten seconds. */
const renewAlone = (): Promise<Response> =>
  navigator.locks ? navigator.locks.request('session', renew) : renew()

/** Milliseconds, longer than the front door waits for a function. A connection may have broken unheard, and
 * all tabs wait for whoever has the lock. */
const ANSWER_MS = 60_000

let asking: AbortController | undefined

/** Takes no answer any more to a renewal that is under way. One that comes after the end of the session would
 * bring back an access token, which is good for some minutes. */
export function dropRenewal(): void {
  asking?.abort()
}

async function renew(): Promise<Response> {
  const renewing = (asking = new AbortController())
  const late = setTimeout(() => renewing.abort(), ANSWER_MS)
  try {
    const answer = await recordedFetch('/api/session/refresh', { method: 'POST', signal: renewing.signal })
    if (answer.status === 401) for (const act of endings) act()
    return answer
  } finally {
    clearTimeout(late)
  }
}
