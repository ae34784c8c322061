import { createHash, generateKeyPairSync, randomBytes, type JsonWebKey } from 'node:crypto'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabasePasswords } from '../postgres/databases.ts'

/** What the runtime makes up once for a data folder and keeps in its `secrets.json`, readable by the owner only. */
interface Stored {
  signingKey: JsonWebKey & { kid: string }
  requestSigningKey: string
  frontDoorKey: string
  operator: { email: string; password: string; shown: boolean }
  databases: Record<string, DatabasePasswords>
}

export interface SecretStore {
  databasePasswords: Readonly<Record<string, DatabasePasswords>>
  operator: { readonly email: string; readonly password: string }
  /** True until `markOperatorShown`: the password is shown to a person once, at the first start. */
  showOperator: boolean
  markOperatorShown(): void
  /** Data of the Secrets and ConfigMaps that on a cluster are made when the bank is installed, by name. */
  secrets(databaseUrls: Readonly<Record<string, string>>): Map<string, Record<string, string>>
  configMaps(): Map<string, Record<string, string>>
}

/** Opens the secrets of a data folder; what is missing (all of it at the first start) is made up and stored. */
export function openSecrets(dataDir: string, contexts: readonly string[]): SecretStore {
  const file = join(dataDir, 'secrets.json')
  const stored = read(file) ?? create()
  for (const context of contexts) stored.databases[context] ??= { owner: password(), functions: password() }
  // Not in the file of an earlier version.
  stored.frontDoorKey ??= password()
  write(file, stored)
  const { signingKey, requestSigningKey, frontDoorKey, operator } = stored
  return {
    databasePasswords: stored.databases,
    operator,
    showOperator: !operator.shown,
    markOperatorShown() {
      operator.shown = true
      write(file, stored)
    },
    secrets: (databaseUrls) =>
      new Map([
        ...Object.entries(databaseUrls).map(([context, url]) => databaseSecret(context, url)),
        ['token-signing-key', { JWT_SIGNING_KEY: JSON.stringify(signingKey) }],
        ['ledger-requests', { REQUEST_SIGNING_KEY: requestSigningKey }],
        ['front-door-key', { FRONT_DOOR_KEY: frontDoorKey }],
        ['first-operator', { OPERATOR_EMAIL: operator.email, OPERATOR_PASSWORD: operator.password }],
      ]),
    configMaps: () => new Map([['token-keys', { JWKS: JSON.stringify({ keys: [publicKey(signingKey)] }) }]]),
  }
}

function databaseSecret(context: string, url: string): [string, Record<string, string>] {
  return [`${context}-database`, { [`${context.toUpperCase()}_DATABASE_URL`]: url }]
}

function create(): Stored {
  const key = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })
  return {
    requestSigningKey: password(),
    frontDoorKey: password(),
    signingKey: { ...key, alg: 'EdDSA', use: 'sig', kid: thumbprint(key) },
    operator: { email: 'operator@microbank.localhost', password: password(), shown: false },
    databases: {},
  }
}

/** 24 random bytes: letters, digits, - and _, so that it needs no escaping in URLs, JSON or a shell. */
function password(): string {
  return randomBytes(24).toString('base64url')
}

/** RFC 7638: the same key has the same id everywhere. */
function thumbprint({ crv, kty, x }: JsonWebKey): string {
  return createHash('sha256').update(JSON.stringify({ crv, kty, x })).digest('base64url')
}

function publicKey({ d: _private, ...rest }: JsonWebKey): JsonWebKey {
  return rest
}

function read(file: string): Stored | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Stored
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    // Without its passwords the data can't be opened, so a damaged file must not be replaced by a new one.
    throw new Error(`${file} can't be read: ${(error as Error).message}`, { cause: error })
  }
}

/** Renamed into place: a crash leaves the old file or the new one, never half of it. */
function write(file: string, stored: Stored): void {
  writeFileSync(`${file}.new`, `${JSON.stringify(stored, undefined, 2)}\n`, { mode: 0o600 })
  renameSync(`${file}.new`, file)
}
