import { keyed, open, type Notification } from './api.ts'
import { send, type GivenAnswer, type PreparedCall } from './send.ts'
import { Session, type Credentials, type SessionOptions, type Tokens, type TokenSource } from './session.ts'
import { streamEvents } from './stream.ts'
import type { BankClient, CallName, CallSettings, FullAnswer } from './types.ts'

export interface ClientOptions extends SessionOptions {
  /** Where the bank is: `https://bank.example`. Empty in a page that the bank itself serves. */
  url: string
  /** An access token that somebody else keeps, or a function that is asked for it before each attempt.
   * Without this, `tokens`, `credentials` or login() begin a session, which the client renews. */
  token?: string | (() => string | undefined | Promise<string | undefined>)
  /** Time for one attempt, in milliseconds. */
  timeoutMs?: number
  /** Time for a call with all its attempts and pauses, in milliseconds. */
  totalMs?: number
  /** Sends the requests in place of the global fetch(). */
  fetch?: typeof fetch
}

/** What a call may be given besides what its route takes. */
interface CallGiven extends CallSettings {
  params?: Record<string, string>
  query?: Record<string, unknown>
  body?: unknown
}

const TIMEOUT_MS = 15_000
const TOTAL_MS = 60_000

/** Makes a client of a running bank. It keeps no connection and needs no closing. Throws a TypeError if `url`
 * is no address. */
export function createClient(options: ClientOptions): BankClient {
  // fetch() refuses it too, but at each attempt, as if nobody answered.
  if (options.url !== '' && !/^https?:\/\/[^/]/i.test(options.url))
    throw new TypeError(`'${options.url}' is no address of a bank, such as https://bank.example`)
  const session = new Session(
    async (path, body) => (await sendCall(`POST ${path}`, { body }, undefined)).body as Tokens,
    options,
  )
  const tokens = options.token === undefined ? session : keptElsewhere(options.token)

  function sendCall(
    name: string,
    given: CallGiven,
    source: TokenSource | undefined,
    change: Partial<PreparedCall> = {},
  ): Promise<GivenAnswer> {
    return send({ ...prepare(name, given, options), tokens: source, ...change })
  }
  const call = (name: string, given: CallGiven = {}, change: Partial<PreparedCall> = {}) =>
    sendCall(name, given, open.has(name) ? undefined : tokens, change)
  const bodyOf = (method: string) => async (path: string, given?: CallGiven) =>
    (await call(`${method} ${path}`, given)).body

  async function* list(path: string, given: CallGiven = {}): AsyncGenerator<unknown> {
    for (let cursor = given.query?.cursor; ;) {
      const page = (await bodyOf('GET')(path, { ...given, query: { ...given.query, cursor } })) as ListedPage
      yield* page.items
      if (page.next_cursor === null) return
      if (page.next_cursor === cursor) throw new Error(`GET ${path} answered its own cursor as the next one`)
      cursor = page.next_cursor
    }
  }

  const client = {
    get: bodyOf('GET'),
    post: bodyOf('POST'),
    put: bodyOf('PUT'),
    patch: bodyOf('PATCH'),
    delete: bodyOf('DELETE'),
    list,
    request: async (name: CallName, given?: CallGiven) => toWhole(await call(name, given)),
    raw: async (name: CallName, given?: CallGiven) =>
      (await call(name, given, { reads: 'nothing' })).response,
    notifications: ({ lastEventId, signal }: { lastEventId?: string; signal?: AbortSignal } = {}) =>
      streamEvents<Notification>(
        async (place, ending) => {
          const headers = { accept: 'text/event-stream', ...(place && { 'last-event-id': place }) }
          const given = { signal: ending, headers }
          return (await call('GET /api/notifications/stream', given, { reads: 'nothing' })).response
        },
        lastEventId,
        signal,
      ),
    login: (credentials: Credentials) => session.login(credentials),
    async logout() {
      const refreshToken = await session.forget()
      if (refreshToken) await bodyOf('POST')('/api/auth/logout', { body: { refresh_token: refreshToken } })
    },
  }
  // The types of a call follow from its name, which only the compiler knows.
  return client as unknown as BankClient
}

interface ListedPage {
  items: unknown[]
  next_cursor: string | null
}

const keptElsewhere = (token: NonNullable<ClientOptions['token']>): TokenSource => ({
  token: async () => (typeof token === 'string' ? token : token()),
  replace: async () => undefined,
})

/** Makes a request of a call's name and options. Throws a TypeError if a parameter is missing, a header can't
 * be sent, or the path would lead elsewhere. */
function prepare(name: string, given: CallGiven, options: ClientOptions): PreparedCall {
  const [method = '', path = ''] = name.split(' ')
  // After the bank's address, '@other.example' or '//other.example' would name another host, which would get
  // the token.
  if (!/^\/[\w.]/.test(path)) throw new TypeError(`'${path}' is no path of the bank`)
  const { params, query, body, prefer } = given
  const isForm = body instanceof FormData
  const idempotencyKey = given.idempotencyKey ?? (keyed.has(name) ? newKey() : undefined)
  const headers = {
    accept: 'application/json',
    ...(body !== undefined && !isForm && { 'content-type': 'application/json' }),
    ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
    ...(prefer !== undefined && { prefer }),
    ...given.headers,
  }
  // Throws for what no header can hold. fetch() would do so at each attempt.
  void new Headers(headers)
  return {
    method,
    url: options.url.replace(/\/+$/, '') + fill(path, params) + toSearch(query),
    headers,
    body: body === undefined || isForm ? body : JSON.stringify(body),
    idempotencyKey,
    signal: given.signal,
    timeoutMs: given.timeoutMs ?? options.timeoutMs ?? TIMEOUT_MS,
    totalMs: given.totalMs ?? options.totalMs ?? TOTAL_MS,
    attemptsMax: given.attemptsMax ?? Infinity,
    reads: 'json',
    isRepeatable: method === 'GET' || idempotencyKey !== undefined || name === 'POST /api/auth/refresh',
    fetch: options.fetch ?? globalThis.fetch,
  }
}

/** Puts parameters into a path. None may lead to another route. */
const fill = (path: string, params: Record<string, string> = {}): string =>
  path.replace(/\{(\w+)\}/g, (_whole, name: string) => {
    const value = params[name]
    if (value === undefined || /^\.{0,2}$/.test(value))
      throw new TypeError(`${path} needs the parameter ${name}`)
    return encodeURIComponent(value)
  })

function toSearch(query: Record<string, unknown> = {}): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query))
    if (value !== undefined) search.append(name, String(value))
  return search.size > 0 ? `?${search}` : ''
}

/** Makes a key of 128 random bits. randomUUID() does not exist in pages that came without TLS. */
const newKey = (): string =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')

const toWhole = ({ response, body, attempts, idempotencyKey }: GivenAnswer): FullAnswer<never> =>
  ({
    status: response.status,
    headers: response.headers,
    location: response.headers.get('location') ?? undefined,
    wasReplayed: response.headers.get('idempotency-replayed') === 'true',
    body,
    attempts,
    idempotencyKey,
  }) as never
