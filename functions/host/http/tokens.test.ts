import { createHmac, createPublicKey, generateKeyPairSync, randomUUID, sign } from 'node:crypto'
import { ProblemError } from '../problems.ts'
import { createTokenVerifier, unauthenticated } from './tokens.ts'

// Tokens are made by hand here, because a library would refuse to make most of the forged ones.

const NOW_MS = Date.UTC(2026, 7, 1)
const NOW = NOW_MS / 1000

interface Key {
  kid: string
  privateKey: ReturnType<typeof generateKeyPairSync>['privateKey']
  publicJwk: Record<string, unknown>
}

function makeKey(kid: string): Key {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  return { kid, privateKey, publicJwk: { ...publicKey.export({ format: 'jwk' }), kid } }
}

const key = makeKey('key-1')
const verifierOf = (...keys: Key[]) =>
  createTokenVerifier({ keys: keys.map(({ publicJwk }) => publicJwk) }, { now: () => NOW_MS })

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

const goodHeader = { alg: 'EdDSA', typ: 'at+jwt', kid: key.kid }
const goodClaims = {
  iss: 'https://microbank.dev',
  aud: 'microbank',
  sub: randomUUID(),
  role: 'customer',
  sid: randomUUID(),
  iat: NOW,
  exp: NOW + 900,
}

/** Makes a token from the valid header and claims with changes; undefined removes one. */
function forge(header: object = {}, claims: object = {}, signer: Key = key): string {
  const signed = `${base64url({ ...goodHeader, ...header })}.${base64url({ ...goodClaims, ...claims })}`
  return `${signed}.${sign(null, Buffer.from(signed), signer.privateKey).toString('base64url')}`
}

async function refusalOf(token: string, verifier = verifierOf(key)) {
  const error: unknown = await verifier.verify(token).then(
    () => undefined,
    (refusal: unknown) => refusal,
  )
  if (!(error instanceof ProblemError)) throw new Error(`expected a refusal, got ${String(error)}`)
  return error.reply
}

async function expectRefused(token: string, verifier = verifierOf(key)): Promise<void> {
  const { status, headers } = await refusalOf(token, verifier)
  expect(status).toBe(401)
  expect(headers?.['www-authenticate']).toBe('Bearer realm="microbank", error="invalid_token"')
}

test('a token signed by the bank names its caller', async () => {
  const token = forge()
  expect(await verifierOf(key).verify(token)).toEqual({ userId: goodClaims.sub, role: 'customer', token })
  expect(await verifierOf(key).verify(forge({}, { role: 'operator' }))).toMatchObject({ role: 'operator' })
})

test('the 401 for a missing token names the scheme and no error', () => {
  expect(unauthenticated('No token.', { tokenSent: false }).reply).toMatchObject({
    status: 401,
    headers: { 'www-authenticate': 'Bearer realm="microbank"' },
  })
})

test.each([
  '',
  'x',
  'a.b.c',
  '..',
  'é.é.é',
  `${forge()}.x`,
  forge().slice(0, -4),
  `${base64url([])}.${base64url({})}.`,
])('text that is not a token is refused: %p', (rubbish) => expectRefused(rubbish))

test('claims that were changed after signing are refused', async () => {
  const [header, , signature] = forge().split('.')
  await expectRefused(`${header}.${base64url({ ...goodClaims, role: 'operator' })}.${signature}`)
})

test('alg none is refused, with and without a signature', async () => {
  for (const alg of ['none', 'None', 'NONE']) {
    const unsigned = `${base64url({ ...goodHeader, alg })}.${base64url(goodClaims)}`
    await expectRefused(`${unsigned}.`)
    await expectRefused(`${unsigned}.${forge().split('.')[2]}`)
  }
})

test('HS256 signed with the public key as the secret is refused', async () => {
  const publicKey = createPublicKey(key.privateKey)
  const signed = `${base64url({ ...goodHeader, alg: 'HS256' })}.${base64url(goodClaims)}`
  const secrets = [
    publicKey.export({ format: 'pem', type: 'spki' }),
    publicKey.export({ format: 'der', type: 'spki' }),
    Buffer.from(key.publicJwk['x'] as string, 'base64url'),
    key.publicJwk['x'] as string,
    JSON.stringify(key.publicJwk),
  ]
  for (const secret of secrets) {
    await expectRefused(`${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`)
  }
})

test('another algorithm in the header is refused even if the signature is ours', async () => {
  for (const alg of ['ES256', 'RS256', 'Ed25519', 'eddsa', undefined, 7]) await expectRefused(forge({ alg }))
})

test('a key that the token brings along is not used', async () => {
  const own = makeKey('key-1')
  const url = 'http://127.0.0.1:1/jwks.json'
  for (const header of [{ jwk: own.publicJwk }, { jku: url }, { x5u: url }, { x5c: ['MIIB'] }]) {
    await expectRefused(forge(header, {}, own))
  }
})

test('a kid that names no key of ours is refused, whatever it looks like', async () => {
  for (const kid of ['key-2', '../../dev/null', "' or 1=1 --", '__proto__', '', 0, null, ['key-1']]) {
    await expectRefused(forge({ kid }))
  }
})

test('a critical header that we do not know is refused', () => expectRefused(forge({ crit: ['x'], x: 1 })))

test('an unencoded payload is refused', () => expectRefused(forge({ crit: ['b64'], b64: false })))

test.each([
  ['another issuer', { iss: 'https://evil.example' }],
  ['no issuer', { iss: undefined }],
  ['another audience', { aud: 'other' }],
  ['no audience', { aud: undefined }],
  ['an expiry in the past', { exp: NOW - 1 }],
  ['an expiry at this very second', { exp: NOW }],
  ['no expiry', { exp: undefined }],
  ['an expiry that is text', { exp: '9999999999' }],
  ['a not-before time in the future', { nbf: NOW + 60 }],
  ['no time of issue', { iat: undefined }],
  ['no subject', { sub: undefined }],
  ['a subject that is not a user id', { sub: 'admin' }],
  ['a role that does not exist', { role: 'root' }],
  ['no role', { role: undefined }],
  ['no session', { sid: undefined }],
])('a token with %s is refused', (_, claims) => expectRefused(forge({}, claims)))

test('a token of another type is refused', async () => {
  for (const typ of ['JWT', 'id+jwt', undefined]) await expectRefused(forge({ typ }))
})

test('an expired token gets an answer of its own, because the caller can refresh the session', async () => {
  const { body } = await refusalOf(forge({}, { exp: NOW - 1 }))
  expect(body).toMatchObject({ detail: 'The access token has expired.' })
})

test('during a key rotation, tokens of the old and of the new key are valid', async () => {
  const next = makeKey('key-2')
  const verifier = verifierOf(next, key)
  await verifier.verify(forge())
  await verifier.verify(forge({ kid: next.kid }, {}, next))
  await expectRefused(forge({ kid: next.kid }), verifier)
  await expectRefused(forge(), verifierOf(next))
})

test('a verified token is remembered, but not beyond its expiry', async () => {
  let now = NOW_MS
  const verifier = createTokenVerifier({ keys: [key.publicJwk] }, { now: () => now })
  const token = forge()
  const first = await verifier.verify(token)
  expect(await verifier.verify(token)).toBe(first)
  now = goodClaims.exp * 1000
  await expectRefused(token, verifier)
})

test('a limited number of tokens is remembered: those used last', async () => {
  const verifier = createTokenVerifier({ keys: [key.publicJwk] }, { now: () => NOW_MS, cachedMax: 2 })
  const [a, b, c] = [forge(), forge({}, { sid: randomUUID() }), forge({}, { sid: randomUUID() })]
  const callerA = await verifier.verify(a)
  const callerB = await verifier.verify(b)
  await verifier.verify(a)
  await verifier.verify(c)
  expect(await verifier.verify(a)).toBe(callerA)
  expect(await verifier.verify(b)).not.toBe(callerB)
})

test('a token that was refused is refused again', async () => {
  const verifier = verifierOf(key)
  const forged = forge({}, {}, makeKey('key-1'))
  await expectRefused(forged, verifier)
  await expectRefused(forged, verifier)
})

test('a set with private keys, keys of other types or keys without a kid stops the start', () => {
  const { d } = key.privateKey.export({ format: 'jwk' })
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' })
  expect(() => createTokenVerifier({ keys: [{ ...key.publicJwk, d }] })).toThrow('public keys only')
  expect(() => createTokenVerifier({ keys: [{ ...rsa, kid: 'rsa' }] })).toThrow('Ed25519')
  expect(() => createTokenVerifier({ keys: [key.publicJwk, key.publicJwk] })).toThrow('kid of its own')
})
