import { queryOptions, useQuery, useQueryClient, type QueryClient } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { OPERATOR_IDLE_SECONDS } from '../../../host/values/idle.ts'
import { BankProblem } from '../../client/index.ts'
import { api } from './api.ts'
import { USES } from './attention.ts'
import { clearCalls, recordedFetch } from './calls.ts'
import { keepEntered } from './entered.ts'
import { IdleWatch } from './idle-watch.ts'
import { pathAfter } from './path-after.ts'
import { dropRenewal, onSessionEnd, renewSession } from './session-renewal.ts'

/** Who is signed in. */
export interface PageSession {
  user_id: string
  role: 'customer' | 'operator'
  /** Seconds until it must be continued, when it was read. */
  expires_in: number
}

const PATH = '/api/session'

/** Other tabs hear of signing in and out: the id of the user, or null. */
const tabs = typeof BroadcastChannel === 'undefined' ? undefined : new BroadcastChannel('session')

/** The session of the cookies; null without one. */
export const sessionQuery = () =>
  queryOptions({
    queryKey: ['session'],
    queryFn: readSession,
    // It ends by an answer 401, not by getting old.
    staleTime: Infinity,
    gcTime: Infinity,
  })

async function readSession(): Promise<PageSession | null> {
  const answer = await recordedFetch(PATH)
  if (answer.ok) return (await answer.json()) as PageSession
  if (answer.status !== 401) throw await problemOf(answer)
  const renewed = await renewSession()
  if (renewed.status === 401) return null
  // Who can't renew the session at the moment is still signed in.
  if (!renewed.ok) throw await problemOf(renewed)
  // It answers with the session.
  return (await renewed.json()) as PageSession
}

/** Renews the session if its cookies are too old. Resolves with whether somebody is still signed in. */
export const keepSession = async (): Promise<boolean> => (await readSession()) !== null

/** Asks a list for what belongs to whoever is signed in: to operators the bank lists everybody's. */
export async function ownOnly(queries: QueryClient): Promise<{ user_id?: string }> {
  const session = await queries.ensureQueryData(sessionQuery())
  return session ? { user_id: session.user_id } : {}
}

/** Returns the headers that say whom this page takes for signed in. Tabs share their cookies: if another user
 * has signed in, and this tab hasn't heard of it, the bank refuses to do it as theirs. */
export const useSentBy = (): { 'session-user': string } => ({ 'session-user': useSession().user_id })

/** The profile of a user. */
export const userQuery = (id: string) =>
  queryOptions({
    queryKey: ['users', id],
    queryFn: ({ signal }) => api.get('/api/users/{id}', { params: { id }, signal }),
  })

/** Returns who is signed in, and their name once it is known. Only pages that need a session may ask. */
export function useSession(): PageSession & { name: string | undefined } {
  const { data } = useQuery(sessionQuery())
  const { data: user } = useQuery({ ...userQuery(data?.user_id ?? ''), enabled: Boolean(data) })
  return { user_id: '', role: 'customer', expires_in: 0, ...data, name: user?.name }
}

/** Whether there is a demo customer to sign in as. Only a bank on a laptop has one. */
export const demoQuery = () =>
  queryOptions({
    queryKey: ['session', 'demo'],
    queryFn: async ({ signal }) => (await api.get('/api/session/demo', { signal })).available,
    staleTime: Infinity,
  })

/** Begins a session, of whoever has these credentials or of the demo customer. Rejects with a BankProblem if
 * the bank refuses. */
export function useSignIn(): (
  credentials: { email: string; password: string } | { code: string } | 'demo',
) => Promise<void> {
  const queries = useQueryClient()
  return async (credentials) => {
    const body = credentials === 'demo' ? {} : { body: JSON.stringify(credentials) }
    const answer = await recordedFetch(credentials === 'demo' ? `${PATH}/demo` : PATH, {
      ...{ method: 'POST', headers: { 'content-type': 'application/json' } },
      ...body,
    })
    if (!answer.ok) throw await problemOf(answer)
    const session = (await answer.json()) as PageSession
    // Nothing of whoever was signed in before.
    forgetOthers(session.user_id)
    forgetAnswers(queries)
    queries.setQueryData(endingQuery().queryKey, null)
    queries.setQueryData(sessionQuery().queryKey, session)
    tabs?.postMessage(session.user_id)
  }
}

/** Registers a customer and signs them in. Rejects with a BankProblem if the bank refuses either. */
export function useSignUp(): (person: { name: string; email: string; password: string }) => Promise<void> {
  const signIn = useSignIn()
  return async ({ name, email, password }) => {
    await api.post('/api/auth/register', { body: { name, email, password } })
    await signIn({ email, password })
  }
}

/** Ends the session of the cookies. To reach for what ends it is a use, so it may just be renewed. */
function endSession(): Promise<Response> {
  dropRenewal()
  return recordedFetch(PATH, { method: 'DELETE' })
}

/** Ends the session, in every tab. */
export function useSignOut(): () => Promise<void> {
  const queries = useQueryClient()
  return async () => {
    const answer = await endSession()
    if (!answer.ok && answer.status !== 401) throw await problemOf(answer)
    forgetOthers(null)
    forgetAnswers(queries)
    queries.setQueryData(sessionQuery().queryKey, null)
    tabs?.postMessage(null)
  }
}

/** Why a session has ended in this tab: nobody used it, or another reason. Null if none has. */
export const endingQuery = () =>
  queryOptions({
    queryKey: ['session', 'ending'],
    queryFn: (): 'idle' | 'other' | null => null,
    ...{ enabled: false, initialData: null, gcTime: Infinity },
  })

/** In milliseconds; see IdleWatchOptions. */
const IDLE = { limitMs: OPERATOR_IDLE_SECONDS * 1_000, warnMs: 2 * 60_000, renewMs: 2 * 60_000 }

/** Watches whether an operator uses their session, which ends if nobody does. Returns when it is going to
 * end, if that is soon, and what keeps it. */
export function useIdleEnd(): { endsAt: number | undefined; stay: () => void } {
  const queries = useQueryClient()
  const [endsAt, setEndsAt] = useState<number>()
  const watch = useRef<IdleWatch>(undefined)
  useEffect(() => {
    const session = queries.getQueryData(sessionQuery().queryKey)
    const idle = new IdleWatch(
      {
        ...IDLE,
        tell: setEndsAt,
        renew: () => void renewSession().catch(() => undefined),
        lastRenewal,
        end() {
          // An unanswered order stays, as at any end but a sign-out, and so does what was being entered. If
          // this call gets lost, the bank ends the session by itself.
          keepEntered()
          void endSession().catch(() => undefined)
          forgetAnswers(queries)
          queries.setQueryData(endingQuery().queryKey, 'idle')
          queries.setQueryData(sessionQuery().queryKey, null)
        },
      },
      session ? renewedAt(session) : Date.now(),
    )
    watch.current = idle
    const use = (): void => idle.use()
    for (const name of USES) addEventListener(name, use, { passive: true })
    return () => {
      idle.stop()
      for (const name of USES) removeEventListener(name, use)
    }
  }, [queries])
  return { endsAt, stay: () => watch.current?.use() }
}

/** An access token lives as long as an operator may be idle, so its age tells when the session was last
 * continued. */
const renewedAt = ({ expires_in: left }: PageSession): number => Date.now() - IDLE.limitMs + left * 1_000

async function lastRenewal(): Promise<number | undefined> {
  const answer = await recordedFetch(PATH)
  if (answer.ok) return renewedAt((await answer.json()) as PageSession)
  if (answer.status === 401) return undefined
  throw await problemOf(answer)
}

/** Follows what other tabs and the bank do to the session. */
export function useSessionChanges(): void {
  const queries = useQueryClient()
  useEffect(() => {
    // Unlike at sign-out, an unanswered order stays for whoever sent it: its money may be on the way. So does
    // what they were entering.
    const end = (): void => {
      keepEntered()
      // If there was no session, none has ended.
      if (queries.getQueryData(sessionQuery().queryKey)) queries.setQueryData(endingQuery().queryKey, 'other')
      queries.setQueryData(sessionQuery().queryKey, null)
    }
    const reload = ({ data: userId }: MessageEvent): void => {
      keepEntered()
      forgetOthers(userId as string | null)
      // A tab that waits at the form goes on, too.
      if (userId !== null && location.pathname === '/sign-in')
        location.replace(pathAfter(location.search) ?? '/')
      else location.reload()
    }
    tabs?.addEventListener('message', reload)
    const stop = onSessionEnd(end)
    return () => {
      stop()
      tabs?.removeEventListener('message', reload)
    }
  }, [queries])
}

/** Forgets what another user asked, and what the bank answered. The session itself stays: what watches it
 * would not hear of a new one. */
function forgetAnswers(queries: QueryClient): void {
  clearCalls()
  queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'session' })
}

/** An unanswered order or payout, and what was being entered, stays for whoever it is of, whose id ends its
 * name. */
function forgetOthers(userId: string | null): void {
  try {
    for (const name of Object.keys(sessionStorage))
      if (!userId || !name.endsWith(`.${userId}`)) sessionStorage.removeItem(name)
  } catch {
    // The browser keeps nothing.
  }
}

async function problemOf(answer: Response): Promise<BankProblem> {
  const body = (await answer.json().catch(() => undefined)) as unknown
  return new BankProblem(answer.status, answer.headers, body, { attempts: 1, isOutcomeUnknown: false })
}
