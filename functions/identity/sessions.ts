import { createHash, randomBytes } from 'node:crypto'
import type { AuditAbout } from '../host/audit/about.ts'
import type { Transaction } from '../host/database/database.ts'
import type { Caller } from '../host/route-request.ts'
import type { Reply } from '../host/reply.ts'
import { ACCESS_TOKEN_LIFE_SECONDS } from '../host/http/access-token.ts'
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

/** Starts a session, and deletes the user's expired sessions. Returns undefined if the user has got another
 * password since they were read, or was deleted: checking the password takes long, and a log-in with the old
 * one must not outlive the end of all sessions that comes with a new one. */
export async function startSession(
  tx: Transaction,
  { id: userId, role, password_hash }: Pick<UserRow, 'id' | 'role' | 'password_hash'>,
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
      started as (insert into sessions (user_id) select id from known returning id)
      insert into refresh_tokens (token_hash, session_id) select $2, id from started returning session_id`,
    values: [userId, hashOf(refreshToken), password_hash],
  })
  return session && { sessionId: session.session_id, userId, role, refreshToken }
}

/** An access token lives 15 minutes, so an honest client refreshes a few times an hour. */
const REFRESHES_PER_HOUR = 60

/** Exchanges a refresh token for the next one of its session, and reads the user's role again. Returns:
 * - `reused`, the session, if the token was exchanged before: somebody has a copy, and nobody can tell who is
 *   the thief, so the session ends;
 * - 'invalid' if it is unknown, or its session has ended;
 * - 'too-often' if the session was continued too often in the last hour; the token stays valid.
 *
 * If one token is exchanged twice at once, one exchange wins. The other waits for the row below until the
 * first has committed, and then counts as a reuse. */
export async function continueSession(
  tx: Transaction,
  refreshToken: string,
): Promise<OpenSession | { reused: SessionOfUser } | 'invalid' | 'too-often'> {
  const recent = await tx.query({
    name: 'refresh-tokens-recent',
    text: `select from refresh_tokens
      where session_id = (
          select session_id from refresh_tokens join sessions on sessions.id = session_id
          where token_hash = $1 and used_at is null and revoked_at is null)
        and issued_at > now() - interval '1 hour'
      limit ${REFRESHES_PER_HOUR + 1}`,
    values: [hashOf(refreshToken)],
  })
  if (recent.length > REFRESHES_PER_HOUR) return 'too-often'

  const used = await tx.query({
    name: 'refresh-token-use',
    text: `update refresh_tokens set used_at = now() where token_hash = $1 and used_at is null
      returning session_id`,
    values: [hashOf(refreshToken)],
  })
  if (used.length === 0) {
    const reused = await revokeSession(tx, refreshToken, 'reuse')
    return reused ? { reused } : 'invalid'
  }

  const next = newRefreshToken()
  const [session] = await tx.query<{ session_id: string; user_id: string; role: Caller['role'] }>({
    name: 'session-continue',
    text: `with open as (
        select sessions.id, user_id, role
        from refresh_tokens join sessions on sessions.id = session_id join users on users.id = user_id
        where token_hash = $1 and revoked_at is null and expires_at > now() and deleted_at is null),
      issued as (insert into refresh_tokens (token_hash, session_id) select $2, id from open)
      select id as session_id, user_id, role from open`,
    values: [hashOf(refreshToken), hashOf(next)],
  })
  if (!session) return 'invalid'
  return { sessionId: session.session_id, userId: session.user_id, role: session.role, refreshToken: next }
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

/** Ends all sessions of a user who is deleted, or has a new password. */
export async function revokeSessionsOf(
  tx: Transaction,
  userId: string,
  why: 'user-deleted' | 'new-password',
): Promise<void> {
  await tx.query({
    name: 'sessions-revoke',
    text: `update sessions set revoked_at = now(), revoked_for = $2
      where user_id = $1 and revoked_at is null`,
    values: [userId, why],
  })
}

const newRefreshToken = (): string => randomBytes(32).toString('base64url')

const hashOf = (refreshToken: string): Buffer => createHash('sha256').update(refreshToken).digest()
