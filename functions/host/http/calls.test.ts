import { generateKeyPairSync, randomUUID, sign } from 'node:crypto'
import { token } from '../../../tests/support/host.ts'
import { ProblemError } from '../problems.ts'
import { CALL_TOKEN_TYPE, isCallToken } from './call-token.ts'
import { createCallVerifier, signsBody, type ReceivedCall } from './calls.ts'
import { signCallToken } from './call-for.ts'
import { createTokenVerifier } from './tokens.ts'

// As in tokens.test.ts, tokens are made by hand, because a library would refuse to make most of them.

const NOW_MS = Date.UTC(2026, 7, 1)
const NOW = NOW_MS / 1000

function makeKey(kid: string, iss: string) {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  return { kid, privateKey, publicJwk: { ...publicKey.export({ format: 'jwk' }), kid, iss } }
}

const key = makeKey('key-1', 'payments')
const others = makeKey('key-2', 'documents')
const jwks = { keys: [key.publicJwk, others.publicJwk] }
const verify = createCallVerifier(jwks, 'place-hold', { now: () => NOW_MS })

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

const goodHeader = { typ: CALL_TOKEN_TYPE, alg: 'EdDSA', kid: key.kid }
const goodClaims = {
  iss: 'payments',
  aud: 'place-hold',
  sub: randomUUID(),
  scope: 'POST /holds',
  jti: 'payment-1',
  iat: NOW,
  exp: NOW + 60,
}
const goodCall: ReceivedCall = {
  method: 'POST',
  path: '/holds',
  onBehalf: ['payments'],
  isIdempotent: true,
  idempotencyKey: 'payment-1',
}

/** Makes a token from the valid header and claims with changes; undefined removes one. */
function forge(header: object = {}, claims: object = {}, signer = key): string {
  const signed = `${base64url({ ...goodHeader, ...header })}.${base64url({ ...goodClaims, ...claims })}`
  return `${signed}.${sign(null, Buffer.from(signed), signer.privateKey).toString('base64url')}`
}

async function expectRefused(text: string, call: Partial<ReceivedCall> = {}): Promise<void> {
  expect(['expired', 'invalid']).toContain(await verify(text, { ...goodCall, ...call }))
}

test('a call signed by its context is from the customer, by way of the context', async () => {
  const call = forge()
  expect(isCallToken(call)).toBe(true)
  expect(await verify(call, goodCall)).toEqual({
    ...{ userId: goodClaims.sub, role: 'customer', via: 'payments', token: call },
  })
})

test('what signCallToken() signs is accepted, for its call only', async () => {
  const jwk = { ...key.privateKey.export({ format: 'jwk' }), kid: key.kid }
  const party = { context: 'payments', key: jwk } as const
  const asked = { operation: 'place-hold', userId: goodClaims.sub, id: 'payment-1', method: 'POST' }
  const made = await signCallToken({ ...asked, path: '/holds' }, party, NOW_MS)
  expect(isCallToken(made)).toBe(true)
  expect(await verify(made, goodCall)).toMatchObject({ userId: goodClaims.sub, via: 'payments' })
  await expectRefused(made, { path: '/holds/1/capture' })
  await expectRefused(await signCallToken({ ...asked, operation: 'holds', path: '/holds' }, party, NOW_MS))
  const nameless = signCallToken({ ...asked, path: '/holds' }, { ...party, key: {} })
  await expect(nameless).rejects.toThrow('a kid')
})

test('a token is for one body only, whatever the order of its keys', async () => {
  const party = {
    context: 'payments',
    key: { ...key.privateKey.export({ format: 'jwk' }), kid: key.kid },
  } as const
  const asked = { operation: 'place-hold', userId: goodClaims.sub, id: 'payment-1', path: '/holds' }
  const at = new Date(NOW_MS)
  const body = { amount: 1, note: undefined, at }
  const made = await signCallToken({ ...asked, method: 'POST', body }, party, NOW_MS)
  expect(signsBody(made, { at: at.toISOString(), amount: 1 })).toBe(true)
  for (const other of [{ at: at.toISOString(), amount: 2 }, { amount: 1 }, {}, []])
    expect(signsBody(made, other)).toBe(false)
  expect(signsBody(await signCallToken({ ...asked, method: 'POST' }, party, NOW_MS), {})).toBe(true)
  expect(signsBody(forge(), {})).toBe(false)
})

test('nobody becomes an operator, whatever the token says', async () => {
  expect(await verify(forge({}, { role: 'operator' }), goodCall)).toMatchObject({ role: 'customer' })
})

test.each([
  ['of another operation', { aud: 'release-hold' }],
  ['of no operation', { aud: undefined }],
  ['of another route', { scope: 'POST /transactions' }],
  ['of another method', { scope: 'GET /holds' }],
  ['of no route', { scope: undefined }],
  ['of several routes', { scope: 'POST /holds POST /transactions' }],
  ['of a context that the route does not list', { iss: 'documents' }],
  ['of the bank itself', { iss: 'https://microbank.dev' }],
  ['of nobody', { iss: undefined }],
  ['for no customer', { sub: undefined }],
  ['for a customer that is none', { sub: 'everybody' }],
  ['with another key than the call', { jti: 'payment-2' }],
  ['without a key', { jti: undefined }],
  ['that has expired', { exp: NOW - 6 }],
  ['without an end', { exp: undefined }],
  ['of unknown age', { iat: undefined }],
  ['that is older than any may be, whenever it ends', { iat: NOW - 66, exp: NOW + 60 }],
  ['from the future', { iat: NOW + 6, exp: NOW + 66 }],
])('a token %s is refused', (_, claims) => expectRefused(forge({}, claims)))

test('clocks that differ by a few seconds are no reason to refuse', async () => {
  for (const difference of [-64, 4]) {
    const claims = { iat: NOW + difference, exp: NOW + difference + 60 }
    expect(await verify(forge({}, claims), goodCall)).toMatchObject({ via: 'payments' })
  }
})

test('a token without a signature, with another algorithm, key or type is refused', async () => {
  const [header, , signature] = forge().split('.')
  await expectRefused(`${header}.${base64url({ ...goodClaims, sub: randomUUID() })}.${signature}`)
  await expectRefused(`${base64url({ ...goodHeader, alg: 'none' })}.${base64url(goodClaims)}.`)
  for (const changed of [{ alg: 'ES256' }, { kid: 'key-3' }, { typ: 'at+jwt' }, { typ: 'JWT' }])
    await expectRefused(forge(changed))
  await expectRefused(forge({}, {}, makeKey('key-1', 'payments')))
})

test('a key is good for its own context only, even where both may call', async () => {
  const both = ['payments', 'documents'] as unknown as ReceivedCall['onBehalf']
  await expectRefused(forge({ kid: others.kid }, {}, others), { onBehalf: both })
  await expectRefused(forge({}, { iss: 'documents' }), { onBehalf: both })
  const theirs = forge({ kid: others.kid }, { iss: 'documents' }, others)
  await expectRefused(theirs)
  expect(await verify(theirs, { ...goodCall, onBehalf: both })).toMatchObject({ via: 'documents' })
})

test('whoever sees a token can only repeat its call: no other key, and no call without one', async () => {
  await expectRefused(forge(), { idempotencyKey: 'payment-2' })
  await expectRefused(forge(), { idempotencyKey: undefined })
  await expectRefused(forge(), { idempotencyKey: ['payment-1', 'payment-1'] })
  const reading = { ...goodCall, method: 'GET', isIdempotent: false, idempotencyKey: undefined }
  expect(await verify(forge({}, { scope: 'GET /holds' }), reading)).toMatchObject({
    via: 'payments',
  })
})

test('an access token is no call, and a call is no access token, even with the right keys', async () => {
  const access = { typ: 'at+jwt' }
  const claims = { iss: 'https://microbank.dev', aud: 'microbank', role: 'customer', sid: randomUUID() }
  const all = createTokenVerifier({ keys: [key.publicJwk] }, { now: () => NOW_MS })
  await expect(all.verify(forge())).rejects.toThrow(ProblemError)
  await expect(all.verify(forge({}, claims))).rejects.toThrow(ProblemError)
  await expect(all.verify(forge(access))).rejects.toThrow(ProblemError)
  expect(await all.verify(forge(access, claims))).toMatchObject({ role: 'customer' })
  await expectRefused(forge(access, claims))
  await expectRefused(forge({}, claims))
  await expectRefused(await token({ userId: randomUUID() }))
})
