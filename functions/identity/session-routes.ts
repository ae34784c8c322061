import { claimsOf } from '../host/http/claims.ts'
import { pageOf, page, pageQuery, decodeCursor } from '../host/database/paging.ts'
import { route } from '../host/operation.ts'
import { problem, problems } from '../host/problems.ts'
import type { Caller } from '../host/route-request.ts'
import { idParams, orNull, uuidSchema } from '../host/schema.ts'
import { revokeSessionById, revokeSessionsOf } from './sessions.ts'
import { aboutUser, maySee } from './user.ts'

/** A session that is open. */
interface SessionRow {
  id: string
  browser: string | null
  system: string | null
  started_at: Date
  continued_at: Date
  expires_at: Date
}

const sessionSchema = {
  title: 'OpenSession',
  type: 'object',
  additionalProperties: false,
  required: ['id', 'browser', 'system', 'started_at', 'continued_at', 'expires_at', 'is_current'],
  properties: {
    id: uuidSchema,
    browser: orNull({ type: 'string', description: 'The family of the program, such as Firefox.' }),
    system: orNull({ type: 'string', description: 'The family of the operating system, such as Linux.' }),
    started_at: { type: 'string', format: 'date-time' },
    continued_at: { type: 'string', format: 'date-time', description: 'When it last got new tokens.' },
    expires_at: { type: 'string', format: 'date-time' },
    is_current: { type: 'boolean', description: 'Whether this request belongs to it.' },
  },
} as const

const toSession =
  (current: string | undefined) =>
  ({ id, browser, system, ...times }: SessionRow) => ({
    ...{ id, browser, system },
    started_at: times.started_at.toISOString(),
    continued_at: times.continued_at.toISOString(),
    expires_at: times.expires_at.toISOString(),
    is_current: id === current,
  })

/** Where a user is signed in, and how they sign out there. Access tokens already issued stay valid until they
 * expire (15 minutes), as after a log-out. */
export const sessionRoutes = [
  route({
    method: 'GET',
    path: '/sessions',
    who: 'signed-in',
    summary: 'Where the caller is signed in, newest first; operators may ask for any user',
    query: {
      type: 'object',
      additionalProperties: false,
      properties: { ...pageQuery, user_id: uuidSchema },
    },
    answers: { 200: pageOf(sessionSchema) },
    problems: [problems.notFound],
    handle: async ({ query, caller }, { db }) => {
      const userId = query.user_id ?? caller.userId
      if (!maySee(caller, userId)) return problem(problems.notFound, 'There is no user with this id.')
      const rows = await db.query<SessionRow>({
        name: 'sessions-page',
        text: `select id, browser, system, started_at, continued_at, expires_at from sessions
          where user_id = $1 and revoked_at is null and expires_at > now() and ($2::uuid is null or id < $2)
          order by id desc limit $3`,
        values: [userId, decodeCursor(query.cursor), query.limit + 1],
      })
      const body = page(rows, query.limit, toSession(sessionOf(caller)))
      return { status: 200, body, about: aboutUser(userId) }
    },
  }),
  route({
    method: 'DELETE',
    path: '/sessions/{id}',
    who: 'signed-in',
    summary: 'End a session; customers only their own, and a second time changes nothing',
    params: idParams,
    answers: { 204: undefined },
    handle: async ({ params: { id }, caller, traceparent }, { db, transact }) => {
      const [session] = await db.query<{ user_id: string }>({
        name: 'session-owner',
        text: 'select user_id from sessions where id = $1',
        values: [id],
      })
      if (!session || !maySee(caller, session.user_id))
        return problem(problems.notFound, 'There is no session with this id.')
      return transact(traceparent, async (tx) => {
        const isEnded = await revokeSessionById(tx, id)
        const about = { subject: id, ownerId: session.user_id, outcome: 'session-ended' }
        return { status: 204, about: isEnded ? about : 'nothing-changed' }
      })
    },
  }),
  route({
    method: 'DELETE',
    path: '/sessions',
    who: 'signed-in',
    summary: 'End all sessions of the caller but the one of this request',
    query: {
      type: 'object',
      additionalProperties: false,
      required: ['others'],
      properties: {
        others: { enum: ['true'], description: 'Says that the own session stays.' },
      },
    },
    answers: { 204: undefined },
    handle: async ({ caller, traceparent }, { transact }) =>
      transact(traceparent, async (tx) => {
        const ended = await revokeSessionsOf(tx, caller.userId, 'signed-out', { except: sessionOf(caller) })
        const about = { ...aboutUser(caller.userId), outcome: 'sessions-ended' }
        return { status: 204, about: ended.length > 0 ? about : 'nothing-changed' }
      }),
  }),
]

/** The session that a caller's access token belongs to. The host has verified the token. */
export const sessionOf = ({ token }: Caller): string | undefined => claimsOf<{ sid?: string }>(token).sid
