import { createHash, randomBytes } from 'node:crypto'
import { sessionStarted } from '../../eventing/contracts/session.started.ts'
import type { AuditAbout } from '../host/audit/about.ts'
import type { Transaction } from '../host/database/database.ts'
import type { Caller } from '../host/route-request.ts'
import type { Reply } from '../host/reply.ts'
import type { Emitting } from '../host/tools.ts'
import { ACCESS_TOKEN_LIFE_SECONDS } from '../host/http/access-token.ts'
import { OPERATOR_IDLE_SECONDS } from '../host/values/idle.ts'
import type { Device } from './device.ts'
import type { UserRow } from './user.ts'

/** A session with the refresh token that continues it. The token itself is stored nowhere. */
export interface OpenSession extends SessionOfUser {
  refreshToken: string
}

interface SessionOfUser {
  sessionId: string
  userId: string
  role: Caller['role']
}

/** Schema of a refresh token: 256 random bits in base64url. */
export const refreshTokenSchema = {
  type: 'string',
  pattern: '^[A-Za-z0-9_-]{43}$',
  'x-secret': true,
} as const

/** Body of POST /auth/refresh and /auth/logout. */
export const refreshTokenBody = {
  type: 'object',
  additionalProperties: false,
  required: ['refresh_token'],
  properties: { refresh_token: refreshTokenSchema },
} as const

/** Answer of a log-in and of a refresh (RFC 6749, section 5.1). */
export const tokensSchema = {
  title: 'Tokens',
  type: 'object',
  additionalProperties: false,
  required: ['access_token', 'token_type', 'expires_in', 'refresh_token'],
  properties: {
    access_token: { type: 'string' },
    token_type: { const: 'Bearer' },
    expires_in: { type: 'integer', description: 'Life of the access token, in seconds.' },
    refresh_token: refreshTokenSchema,
  },
} as const

/** Returns the answer with a new pair of tokens. */
export async function tokensReply(session: OpenSession, signingKey: Record<string, unknown>): Promise<Reply> {
  const { signAccessToken } = await import('./tokens.ts')
  return {
    status: 200,
    headers: { 'cache-control': 'no-store' },
    body: {
      access_token: await signAccessToken(session, signingKey),
      token_type: 'Bearer',
      expires_in: ACCESS_TOKEN_LIFE_SECONDS,
      refresh_token: session.refreshToken,
    },
  }
}

/** Says in the audit which session was started, continued or ended. Its user did it: they have its token. */
export const aboutSession = ({ sessionId, userId, role }: SessionOfUser, outcome?: string): AuditAbout => ({
  subject: sessionId,
  ownerId: userId,
  by: { userId, role },
  ...(outcome !== undefined && { outcome }),
})

/** Property of the bodies that start a session. */
export const endsIdleSchema = {
  type: 'boolean',
  default: false,
  description: `Whether an operator’s session ends if it is not continued for ${OPERATOR_IDLE_SECONDS / 60} minutes. The front door asks for it for browsers, which others may use after their operator.`,
} as const

/** How a session starts, besides whose it is. */
export interface NewSession extends Device {
  endsIdle: boolean
  /** SHA-256 of the code that starts it. */
  codeHash?: Buffer
}

/** Starts a session, and deletes the user's expired sessions. Returns undefined if the user has got another
 * password since they were read, or was deleted: checking the password takes long, and a log-in with the old
 * one must not outlive the end of all sessions that comes with a new one. Nor does a code start two
 * sessions. */
export async function startSession(
  tx: Transaction,
  { id: userId, role, password_hash }: Pick<UserRow, 'id' | 'role' | 'password_hash'>,
  { browser, system, endsIdle, codeHash }: NewSession,
): Promise<OpenSession | undefined> {
  await tx.query({
    name: 'sessions-clear',
    text: `delete from sessions where user_id = $1 and expires_at <= now()`,
    values: [userId],
  })
  const refreshToken = newRefreshToken()
  const [session] = await tx.query<{ session_id: string }>({
    name: 'session-start',
    text: `with known as (select id from users where id = $1 and password_hash = $3 for share),
      started as (
        insert into sessions (user_id, browser, system, code_hash, idle_limit, expires_at)
        select id, $4, $5, $6, make_interval(secs => $7),
          now() + coalesce(make_interval(secs => $7), interval '30 days') from known
        on conflict do nothing returning id, generation)
      insert into refresh_tokens (token_hash, session_id, generation) select $2, id, generation from started
      returning session_id`,
    values: [
      ...[userId, hashOf(refreshToken), password_hash, browser, system, codeHash ?? null],
      endsIdle && role === 'operator' ? OPERATOR_IDLE_SECONDS : null,
    ],
  })
  return session && { sessionId: session.session_id, userId, role, refreshToken }
}

export function emitStarted(tx: Emitting, { sessionId, userId }: OpenSession, address: string): void {
  tx.emit(sessionStarted, {
    subject: sessionId,
    partitionkey: userId,
    data: {
      session_id: sessionId,
      user_id: userId,
      client_address: address,
      started_at: new Date().toISOString(),
    },
  })
}

/** An access token lives 15 minutes, so an honest client refreshes a few times an hour. */
const REFRESHES_PER_HOUR = 60

/** Seconds in which a refresh token may be exchanged again: two tabs of a browser share one token, and a
 * client may have lost the answer. */
const REPEAT_SECONDS = 10

/** A session as its refresh token finds it. `is_repeatable` tells whether this token began the newest
 * generation, within the last seconds. */
interface FoundSession {
  session_id: string
  user_id: string
  role: Caller['role']
  presented: number
  generation: number
  is_repeatable: boolean | null
}

/** Exchanges a refresh token for the next one of its session, and reads the user's role again. Returns:
 * - `reused`, the session, if the token was exchanged before: somebody has a copy, and nobody can tell who is
 *   the thief, so the session ends;
 * - 'invalid' if it is unknown, or its session has ended;
 * - 'too-often' if the session was continued too often in the last hour; the token stays valid.
 *
 * The tokens that one is exchanged for are a generation. For some seconds that same token may be exchanged
 * again, if none of them was used. When one of them is used, the others are used too, from that moment: if a
 * thief has one, and the user another, whoever comes second ends the session. A thief who sees by the list of
 * sessions when the user comes can't follow within the seconds.
 *
 * If one token is exchanged several times at once, each exchange waits for the session's row until the one
 * before has committed. */
export async function continueSession(
  tx: Transaction,
  refreshToken: string,
): Promise<OpenSession | { reused: SessionOfUser } | 'invalid' | 'too-often'> {
  const [found] = await tx.query<FoundSession>({
    name: 'session-by-token',
    text: `select s.id as session_id, user_id, role, t.generation as presented, s.generation,
        continued_by = $1 and abs(extract(epoch from continued_at - now())) < $2 as is_repeatable
      from refresh_tokens t join sessions s on s.id = t.session_id join users u on u.id = s.user_id
      where token_hash = $1 and revoked_at is null and expires_at > now() and deleted_at is null
      for update of s`,
    values: [hashOf(refreshToken), REPEAT_SECONDS],
  })
  if (!found) return 'invalid'
  const isRepeated = found.presented < found.generation
  if (isRepeated && !found.is_repeatable) {
    const reused = await revokeSession(tx, refreshToken, 'reuse')
    return reused ? { reused } : 'invalid'
  }
  if (await isTooOften(tx, found.session_id)) return 'too-often'

  const next = newRefreshToken()
  await tx.query({
    name: 'session-continue',
    text: `with continued as (
        update sessions set generation = generation + 1, continued_by = $5, continued_at = now(),
          -- least() leaves out what is null.
          expires_at = least(started_at + interval '30 days', now() + idle_limit)
        where id = $1 and not $3::boolean)
      insert into refresh_tokens (token_hash, session_id, generation) values ($2, $1, $4)`,
    values: [
      found.session_id,
      hashOf(next),
      isRepeated,
      isRepeated ? found.generation : found.generation + 1,
      hashOf(refreshToken),
    ],
  })
  return { sessionId: found.session_id, userId: found.user_id, role: found.role, refreshToken: next }
}

async function isTooOften(tx: Transaction, sessionId: string): Promise<boolean> {
  const recent = await tx.query({
    name: 'refresh-tokens-recent',
    text: `select from refresh_tokens
      where session_id = $1 and issued_at > now() - interval '1 hour' limit ${REFRESHES_PER_HOUR + 1}`,
    values: [sessionId],
  })
  return recent.length > REFRESHES_PER_HOUR
}

/** Ends the session that a refresh token belongs to, and returns it; undefined if it has no open session. */
export async function revokeSession(
  tx: Transaction,
  refreshToken: string,
  why: 'logout' | 'reuse',
): Promise<SessionOfUser | undefined> {
  const [revoked] = await tx.query<{ id: string; user_id: string; role: Caller['role'] }>({
    name: 'session-revoke',
    text: `update sessions set revoked_at = now(), revoked_for = $2
      from refresh_tokens, users
      where token_hash = $1 and sessions.id = session_id and revoked_at is null and expires_at > now()
        and users.id = sessions.user_id
      returning sessions.id, sessions.user_id, users.role`,
    values: [hashOf(refreshToken), why],
  })
  return revoked && { sessionId: revoked.id, userId: revoked.user_id, role: revoked.role }
}

/** Ends a session, and returns whether it was open. */
export async function revokeSessionById(tx: Transaction, id: string): Promise<boolean> {
  const revoked = await tx.query({
    name: 'session-revoke-by-id',
    text: `update sessions set revoked_at = now(), revoked_for = 'signed-out'
      where id = $1 and revoked_at is null and expires_at > now() returning id`,
    values: [id],
  })
  return revoked.length > 0
}

/** Ends all sessions of a user, or all but one, and returns their ids. */
export async function revokeSessionsOf(
  tx: Transaction,
  userId: string,
  why: 'user-deleted' | 'new-password' | 'signed-out',
  { except }: { except?: string | undefined } = {},
): Promise<string[]> {
  const revoked = await tx.query<{ id: string }>({
    name: 'sessions-revoke',
    text: `update sessions set revoked_at = now(), revoked_for = $2
      where user_id = $1 and revoked_at is null and expires_at > now() and ($3::uuid is null or id <> $3)
      returning id`,
    values: [userId, why, except ?? null],
  })
  return revoked.map(({ id }) => id)
}

const newRefreshToken = (): string => randomBytes(32).toString('base64url')

const hashOf = (refreshToken: string): Buffer => createHash('sha256').update(refreshToken).digest()
