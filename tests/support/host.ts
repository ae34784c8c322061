import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import http from 'node:http'
import { SignJWT } from 'jose'
import { compileValidators } from '../../functions/host/http/compile-validators.ts'
import { callingContexts, databaseContexts } from '../../functions/contexts.ts'
import { callKeySetting, eventKeySetting } from '../../functions/host/config.ts'
import type { CatalogueEntry } from '../../functions/host/catalogue-entry.ts'
import type { Operation } from '../../functions/host/operation.ts'
import { contextSettings } from '../../functions/host/settings/all.ts'
import { CLIENT_HEADER, createVoucher } from '../../functions/host/http/client-address.ts'
import { receiveEvent } from '../../functions/host/http/events.ts'
import { signCallToken } from '../../functions/host/http/call-for.ts'
import { serve, type RunningFunction } from '../../functions/host/start/serve.ts'
import { verifierKey } from '../../functions/host/transparency/checkpoint.ts'
import { ALGORITHM, AUDIENCE, ISSUER, TOKEN_TYPE } from '../../functions/host/http/access-token.ts'

export interface Answer {
  status: number
  headers: Headers
  // A test knows the type of what it requested.
  // oxlint-disable-next-line typescript/no-explicit-any
  body: any
}

export interface RequestOptions {
  token?: string
  /** An object is sent as JSON, a string as it is. */
  body?: unknown
  headers?: Record<string, string>
}

export interface TestFunction extends RunningFunction {
  url: string
  request(method: string, path: string, options?: RequestOptions): Promise<Answer>
}

/** Signing keys of this test run. Functions that startFunction() starts trust tokens signed with them. */
export const signingKey = createSigningKey()

function createSigningKey(): { privateKey: KeyObject; privateJwk: string; jwks: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const name = { kid: 'test', alg: ALGORITHM, use: 'sig' }
  return {
    privateKey,
    privateJwk: JSON.stringify({ ...privateKey.export({ format: 'jwk' }), ...name }),
    jwks: JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), ...name }] }),
  }
}

/** The key that signs seals in this test run: private as a JWK Set, public as readers get it. */
export const sealKey = createSealKey()

function createSealKey(): { privateJwks: string; verifier: string } {
  const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })
  return { privateJwks: JSON.stringify({ keys: [jwk] }), verifier: verifierKey(jwk) }
}

const callKeys = callingContexts.map((context) => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const name = { kid: `calls of ${context}`, alg: ALGORITHM, use: 'sig' }
  return {
    context,
    private: JSON.stringify({ ...privateKey.export({ format: 'jwk' }), ...name }),
    public: { ...publicKey.export({ format: 'jwk' }), ...name, iss: context },
  }
})

/** The keys with which contexts call on behalf of customers in this test run: the private ones as settings,
 * that of payments by itself, and all public ones. */
export const callKey = {
  settings: Object.fromEntries(callKeys.map((key) => [callKeySetting(key.context), key.private])),
  privateJwk: callKeys.find(({ context }) => context === 'payments')!.private,
  publicJwks: JSON.stringify({ keys: callKeys.map((key) => key.public) }),
}

/** Returns the key of a context's events for functions that startFunction() starts. */
export const eventKey = (context: string): string => `events of ${context}, and only good for tests`

const FRONT_DOOR_KEY = 'another key that is only good for tests'

/** The key of mailed links in this test run. */
export const LINK_KEY = 'a key of links that is only good for tests'

/** Returns the header with which the front door tells a function the client's address. */
export const clientAt = (address: string): Record<string, string> => ({
  [CLIENT_HEADER]: createVoucher(FRONT_DOOR_KEY)({
    socket: { remoteAddress: address },
    headers: {},
  } as never),
})

/** Returns an access token as login would give it, or one with another life. */
export async function token(
  caller: { userId: string; role?: 'customer' | 'operator' },
  life = '15m',
): Promise<string> {
  return new SignJWT({ role: caller.role ?? 'customer', sid: caller.userId })
    .setProtectedHeader({ alg: ALGORITHM, kid: 'test', typ: TOKEN_TYPE })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setSubject(caller.userId)
    .setIssuedAt()
    .setExpirationTime(life)
    .sign(signingKey.privateKey)
}

/** Returns the token with which payments calls `operation` on behalf of a customer. `id` is the call's
 * idempotency key. */
export const callToken = (
  userId: string,
  operation: string,
  route: string,
  { id = 'none', body }: { id?: string; body?: unknown } = {},
): Promise<string> => {
  const [method = '', path = ''] = route.split(' ')
  const key = JSON.parse(callKey.privateJwk) as Record<string, unknown>
  return signCallToken({ userId, operation, method, path, id, body }, { context: 'payments', key })
}

/** Starts the real host of one operation in this process, on a free port. `env` holds the variables that its
 * Service would set. It stops at once when it has no request left: no platform sends it any more. */
export async function startFunction(
  operation: Operation,
  env: Record<string, string> = {},
  catalogue: readonly CatalogueEntry[] = [],
  { quietMs = 0 } = {},
): Promise<TestFunction> {
  const running = await serve(
    operation,
    {
      ...{ validators: compileValidators(operation), catalogue, receiveEvent },
      settings: contextSettings[operation.context],
    },
    {
      PORT: '0',
      JWKS: signingKey.jwks,
      JWT_SIGNING_KEY: signingKey.privateJwk,
      REQUEST_SIGNING_KEY: 'a key that is only good for tests, no more',
      FRONT_DOOR_KEY,
      WEB_HOOK_KEY: 'a key of web hooks that is only good for tests',
      LINK_KEY,
      SEAL_SIGNING_KEY: sealKey.privateJwks,
      SEAL_KEYS: sealKey.verifier,
      CALL_KEYS: callKey.publicJwks,
      ...callKey.settings,
      ...Object.fromEntries(databaseContexts.map((context) => [eventKeySetting(context), eventKey(context)])),
      LOG_LEVEL: 'off',
      ...env,
    },
    quietMs,
  )
  const url = `http://127.0.0.1:${running.port}`
  return {
    ...running,
    url,
    request: (method, path, options) => request(method, url + path, options),
  }
}

/** Sends one HTTP request. A JSON answer comes parsed, another as text. Unlike fetch() it can set the Host
 * header. */
export async function request(method: string, url: string, options: RequestOptions = {}): Promise<Answer> {
  const { token: bearer, body, headers } = options
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
  const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
    const outgoing = http.request(url, {
      method,
      headers: {
        ...(text !== undefined && {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(text),
        }),
        ...(bearer && { authorization: `Bearer ${bearer}` }),
        ...headers,
      },
    })
    outgoing.on('response', resolve).on('error', reject).end(text)
  })
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  const answer = Buffer.concat(chunks).toString()
  const received = new Headers()
  for (const [name, value] of Object.entries(response.headers)) received.set(name, String(value))
  const json = /[/+]json/.test(received.get('content-type') ?? '')
  return {
    status: response.statusCode ?? 0,
    headers: received,
    body: json && answer ? JSON.parse(answer) : answer,
  }
}
