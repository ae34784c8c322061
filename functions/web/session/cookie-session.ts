import type { IncomingMessage } from 'node:http'
import { cookieProblems } from '../../host/cookie-problems.ts'
import { answer } from '../../host/http/answer.ts'
import { readJson } from '../../host/http/body.ts'
import { claimsOf } from '../../host/http/claims.ts'
import { CLIENT_HEADER, createVoucher } from '../../host/http/client-address.ts'
import type { Exchange } from '../../host/http/exchange.ts'
import type { IncomingAnswer } from '../../host/http/send.ts'
import { unauthenticated, type TokenVerifier } from '../../host/http/tokens.ts'
import { problem, ProblemError, problems } from '../../host/problems.ts'
import type { Reply } from '../../host/reply.ts'
import type { Tools } from '../../host/tools.ts'
import { nothingHere } from '../nothing-here.ts'
import { wrongMethod } from '../wrong-method.ts'
import { cookieOf, readCookie, type CookieKind } from './cookies.ts'
import { crossSite } from './cross-site.ts'
import { createDemo } from './demo.ts'

/** The session of a browser: its tokens are in cookies, which no script can read. The front door keeps
 * nothing. It calls the functions that any client calls, and they know nothing of cookies. */
export interface CookieSession {
  /** Answers a request for /api/session or what is below. `path` is without the query. */
  answer(exchange: Exchange, path: string): Promise<void>
  /** Makes the cookie of a request, if it has one, its header Authorization. A header that is there wins.
   * Returns the refusal if a page elsewhere may have sent the request, or a page of another user: the header
   * Session-User names whom the page takes for signed in. */
  admit(request: IncomingMessage): Reply | undefined
}

/** An answer, and the cookies that it sets. */
interface Dressed {
  reply: Reply
  cookies?: string[]
}

type SessionHandler = (exchange: Exchange) => Promise<Dressed>

/** Milliseconds. As long as the front door waits for a function's answer to a client. */
const TIMEOUT_MS = 55_000
/** Milliseconds. Nobody waits longer for the end of a session that a new one has replaced. */
const REPLACED_TIMEOUT_MS = 5_000
/** Seconds that a session lasts at most. identity ends it, whatever a browser keeps. */
const SESSION_SECONDS = 30 * 24 * 60 * 60

export function createCookieSession(tools: Tools, tokens: TokenVerifier): CookieSession {
  const { PUBLIC_URL } = tools.config
  const ask = createAsk(tools)
  const demo = createDemo(tools)

  const admit: CookieSession['admit'] = (request) => {
    const { headers } = request
    const token = headers.authorization === undefined ? readCookie(request, 'access') : undefined
    if (token === undefined) return undefined
    const refusal = crossSite(request, PUBLIC_URL) ?? otherUser(request, token)
    if (!refusal) headers.authorization = `Bearer ${token}`
    return refusal
  }

  const sessionOf = async (token: string): Promise<Reply> => {
    const { userId, role } = await tokens.verify(token)
    const { exp } = claimsOf<{ exp: number }>(token)
    const body = { user_id: userId, role, expires_in: Math.max(0, exp - Math.floor(Date.now() / 1000)) }
    return { status: 200, body }
  }

  /** Answers with the session of new tokens, and sets them as cookies; or with the function's refusal. */
  const dress = async ({ request }: Exchange, given: IncomingAnswer): Promise<Dressed> => {
    if (given.status !== 200) return { reply: passedOn(given) }
    const { access_token, refresh_token, expires_in } = JSON.parse(given.body.toString()) as GivenTokens
    const { headers } = passedOn(given)
    return {
      reply: { ...(await sessionOf(access_token)), headers: { ...headers, 'content-type': JSON_TYPE } },
      cookies: [
        cookieOf(request, 'access', { value: access_token, lifeSeconds: expires_in }),
        cookieOf(request, 'refresh', { value: refresh_token, lifeSeconds: SESSION_SECONDS }),
      ],
    }
  }

  /** Begins a session with new tokens, and ends the session before it. */
  const begin = async (exchange: Exchange, given: IncomingAnswer): Promise<Dressed> => {
    const dressed = await dress(exchange, given)
    if (dressed.cookies) await endReplaced(exchange)
    return dressed
  }

  const signIn: SessionHandler = async (exchange) => {
    const body = (await readJson(exchange.request)) as object
    // The front door alone says it.
    if ('ends_idle' in body) throw unknownField('/ends_idle')
    const path = 'code' in body ? '/auth/login/code' : '/auth/login'
    return begin(exchange, await ask(exchange, 'login', path, { ...body, ends_idle: true }))
  }

  /** Ends the session whose cookies are being replaced: nothing could end it later. If that fails, the new
   * one begins all the same, and the old one stays among the sessions of its user. */
  const endReplaced = async (exchange: Exchange): Promise<void> => {
    const token = readCookie(exchange.request, 'refresh')
    if (token === undefined) return
    const options = { timeoutMs: REPLACED_TIMEOUT_MS }
    await ask(exchange, 'logout', '/auth/logout', { refresh_token: token }, options).catch(() => undefined)
  }

  const showDemo: SessionHandler = async ({ request }) => ({
    reply: { status: 200, body: { available: demo.isHere(request) } },
  })

  const signInAsDemo: SessionHandler = async (exchange) => {
    if (demo.isHere(exchange.request)) return begin(exchange, await demo.signIn(exchange.request))
    return { reply: problem(problems.notFound, 'There is no demo customer here.') }
  }

  const show: SessionHandler = async ({ request }) => {
    const { authorization } = request.headers
    const token = authorization === undefined ? readCookie(request, 'access') : bearer(authorization)
    if (token === undefined) throw unauthenticated('Nobody is signed in here.', { tokenSent: false })
    return { reply: await sessionOf(token) }
  }

  const refresh: SessionHandler = async (exchange) => {
    const token = readCookie(exchange.request, 'refresh')
    if (token === undefined) throw unauthenticated('Nobody is signed in here.', { tokenSent: false })
    const given = await ask(exchange, 'refresh-session', '/auth/refresh', { refresh_token: token })
    const dressed = await dress(exchange, given)
    // A session that has ended does not come back. Any other refusal leaves the cookies, for a next try.
    return given.status === 401 ? { ...dressed, cookies: removed(exchange.request) } : dressed
  }

  const signOut: SessionHandler = async (exchange) => {
    const token = readCookie(exchange.request, 'refresh')
    const given =
      token === undefined
        ? undefined
        : await ask(exchange, 'logout', '/auth/logout', { refresh_token: token })
    // A value that can't be a token has no session. If logout failed, the browser keeps its cookies: to try
    // again it needs them.
    if (given && given.status >= 500) return { reply: passedOn(given) }
    return { reply: { status: 204 }, cookies: removed(exchange.request) }
  }

  const paths: Readonly<Record<string, Readonly<Record<string, SessionHandler>>>> = {
    '/api/session': { GET: show, HEAD: show, POST: signIn, DELETE: signOut },
    '/api/session/refresh': { POST: refresh },
    '/api/session/demo': { GET: showDemo, HEAD: showDemo, POST: signInAsDemo },
  }

  return {
    admit,
    async answer(exchange, path) {
      const { request, response } = exchange
      const methods = paths[path]
      if (!methods) return answer(response, nothingHere())
      exchange.handler = path
      const handle = Object.hasOwn(methods, request.method!) ? methods[request.method!]! : undefined
      if (!handle) return answer(response, wrongMethod(Object.keys(methods)))
      const refusal = crossSite(request, PUBLIC_URL)
      if (refusal) return answer(response, refusal)
      const { reply, cookies } = await handle(exchange)
      if (cookies) response.setHeader('set-cookie', cookies)
      answer(response, reply)
    },
  }
}

/** Returns the refusal if the token is of another user than the page says. Tabs share their cookies: a tab
 * that hasn't heard of a new session would act for whoever began it. */
function otherUser({ headers }: IncomingMessage, token: string): Reply | undefined {
  const { 'session-user': expected } = headers
  if (expected === undefined) return undefined
  delete headers['session-user']
  return userOf(token) === expected ? undefined : problem(cookieProblems.otherUser, 'Load the page again.')
}

function userOf(token: string): unknown {
  try {
    return claimsOf<{ sub?: unknown }>(token).sub
  } catch {
    return undefined
  }
}

interface GivenTokens {
  access_token: string
  refresh_token: string
  expires_in: number
}

const unknownField = (path: string): ProblemError =>
  new ProblemError(problems.invalidInput, 'The body does not match what this operation accepts.', {
    errors: [{ path, message: 'is not known here' }],
  })

const JSON_TYPE = 'application/json; charset=utf-8'

/** Creates what calls a function with what it must know of the client, and no more. */
function createAsk({ send, config }: Tools) {
  const vouch = createVoucher(config.FRONT_DOOR_KEY)
  return (
    { request, traceparent }: Exchange,
    service: string,
    path: string,
    body: object,
    { timeoutMs = TIMEOUT_MS } = {},
  ): Promise<IncomingAnswer> => {
    const agent = request.headers['user-agent']
    const headers = {
      'content-type': 'application/json',
      traceparent,
      [CLIENT_HEADER]: vouch(request),
      ...(agent !== undefined && { 'user-agent': agent }),
    }
    const url = `http://${service}.${config.SERVICE_DOMAIN}${path}`
    return send({ url, method: 'POST', headers, body: JSON.stringify(body), timeoutMs })
  }
}

/** The headers of a function's answer that concern the browser. */
const PASSED = [
  'content-type',
  'retry-after',
  'ratelimit',
  'ratelimit-policy',
  'server-timing',
  'www-authenticate',
]

function passedOn({ status, headers, body }: IncomingAnswer): Reply {
  const passed = PASSED.flatMap((name) =>
    headers[name] === undefined ? [] : [[name, String(headers[name])]],
  )
  return { status, text: body.toString(), headers: Object.fromEntries(passed) as Record<string, string> }
}

/** Both cookies, removed. */
const removed = (request: IncomingMessage): string[] =>
  (['access', 'refresh'] satisfies CookieKind[]).map((kind) =>
    cookieOf(request, kind, { value: '', lifeSeconds: 0 }),
  )

const bearer = (authorization: string): string | undefined => {
  const [scheme, token] = authorization.split(' ')
  return scheme?.toLowerCase() === 'bearer' ? token : undefined
}
