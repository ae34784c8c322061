import { recordedFetch } from './calls.ts'

let renewal: Promise<boolean> | undefined
const endings = new Set<() => void>()

/** Calls `act` when the session turns out to have ended. Returns what stops that. */
export function onSessionEnd(act: () => void): () => void {
  endings.add(act)
  return () => endings.delete(act)
}

/** Exchanges the session's cookies for new ones, once for all calls that wait for it. Resolves with whether
 * the session goes on. */
export function renewSession(): Promise<boolean> {
  renewal ??= renewAlone().finally(() => (renewal = undefined))
  return renewal
}

/** Tabs share the cookies: two that renew at once could end their session. http://microbank.local is no
 * secure context and has no locks; the bank accepts the same cookie twice within ten seconds. */
const renewAlone = (): Promise<boolean> =>
  navigator.locks ? navigator.locks.request('session', renew) : renew()

async function renew(): Promise<boolean> {
  const { ok, status } = await recordedFetch('/api/session/refresh', { method: 'POST' })
  // Any other failure may pass: the next call tries again.
  if (status === 401) for (const act of endings) act()
  return ok
}
