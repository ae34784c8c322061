import { generateKeyPairSync } from 'node:crypto'
import { createTokenVerifier } from '../host/http/tokens.ts'
import { signAccessToken } from './tokens.ts'

const NOW_MS = Date.UTC(2026, 7, 1)
const session = {
  userId: '0198f3a2-5b1c-7d4e-8f60-112233445566',
  role: 'customer',
  sessionId: '0198f3a2-7c2d-7e5f-9a71-223344556677',
} as const

const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const signingKey = { ...privateKey.export({ format: 'jwk' }), kid: 'key-1' }
const jwks = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'key-1' }] }

test('a signed token names user, role and session, and lives 15 minutes', async () => {
  const token = await signAccessToken(session, signingKey, NOW_MS)
  const [header, claims] = token
    .split('.', 2)
    .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()) as unknown)
  expect(header).toEqual({ alg: 'EdDSA', typ: 'at+jwt', kid: 'key-1' })
  expect(claims).toEqual({
    iss: 'https://microbank.dev',
    aud: 'microbank',
    sub: session.userId,
    role: 'customer',
    sid: session.sessionId,
    iat: NOW_MS / 1000,
    exp: NOW_MS / 1000 + 900,
  })
})

test('every function accepts it until it expires', async () => {
  const token = await signAccessToken(session, signingKey, NOW_MS)
  const at = (now: number) => createTokenVerifier(jwks, { now: () => now }).verify(token)
  await expect(at(NOW_MS + 899_000)).resolves.toEqual({ userId: session.userId, role: 'customer', token })
  await expect(at(NOW_MS + 900_000)).rejects.toThrow('expired')
})

test('a signing key without a kid is refused, because nobody could find its public key', async () => {
  await expect(signAccessToken(session, { ...signingKey, kid: undefined })).rejects.toThrow('must have a kid')
})
