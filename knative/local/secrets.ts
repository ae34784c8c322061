import { createHash, generateKeyPairSync, randomBytes, type JsonWebKey } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { verifierKey } from '../../functions/host/transparency/checkpoint.ts'
import type { DatabasePasswords } from '../postgres/databases.ts'
import { fieldsOf, isObject, readText, writeDurably } from './data-folder/own-files.ts'

/**
 * The secrets that the runtime generates once for a data folder. They are in its `secrets.json`, which only
 * the owner can read.
 */
interface StoredSecrets {
  signingKey: JsonWebKey & { kid: string }
  requestSigningKey: string
  frontDoorKey: string
  /** The keys that sign seals. Two while one replaces the other. */
  sealKeys: JsonWebKey[]
  /** By context: the key that signs its events. */
  eventKeys: Record<string, string>
  /** Lets a client of another machine publish events. */
  ingressToken: string
  operator: { email: string; password: string; shown: boolean }
  databases: Record<string, DatabasePasswords>
}

export interface SecretStore {
  /** The token that clients of other machines must send to the Broker's ingress. */
  readonly ingressToken: string
  databasePasswords: Readonly<Record<string, DatabasePasswords>>
  operator: { readonly email: string; readonly password: string }
  /** True until `markOperatorShown`: the password is shown to a person once, at the first start. */
  showOperator: boolean
  markOperatorShown(): void
  /** The data of the Secrets and ConfigMaps that a cluster gets when the bank is installed, by name. */
  secrets(databaseUrls: Readonly<Record<string, string>>): Map<string, Record<string, string>>
  configMaps(): Map<string, Record<string, string>>
}

/**
 * Opens the secrets of a data folder. Generates and stores what is missing: everything, at the first start.
 */
export function openSecrets(dataDir: string, contexts: readonly string[]): SecretStore {
  const file = join(dataDir, 'secrets.json')
  const found = read(file)
  const before = JSON.stringify(found)
  const stored = found ?? create()
  // A file of an earlier version lacks some secrets.
  stored.frontDoorKey ??= password()
  stored.sealKeys ??= [newKey()]
  stored.eventKeys ??= {}
  stored.ingressToken ??= password()
  for (const context of contexts) {
    stored.databases[context] ??= { owner: password(), functions: password() }
    stored.eventKeys[context] ??= password()
  }
  if (JSON.stringify(stored) !== before) write(file, stored)
  const { signingKey, requestSigningKey, frontDoorKey, sealKeys, operator, eventKeys, ingressToken } = stored
  return {
    ingressToken,
    databasePasswords: stored.databases,
    operator,
    showOperator: !operator.shown,
    markOperatorShown() {
      if (operator.shown) return
      operator.shown = true
      write(file, stored)
    },
    secrets: (databaseUrls) =>
      new Map([
        ...Object.entries(databaseUrls).map(([context, url]) => databaseSecret(context, url)),
        ...Object.entries(eventKeys).map(([context, key]) => eventSecret(context, key)),
        ['token-signing-key', { JWT_SIGNING_KEY: JSON.stringify(signingKey) }],
        ['ledger-requests', { REQUEST_SIGNING_KEY: requestSigningKey }],
        ['front-door-key', { FRONT_DOOR_KEY: frontDoorKey }],
        ['seal-signing-key', { SEAL_SIGNING_KEY: JSON.stringify({ keys: sealKeys }) }],
        ['first-operator', { OPERATOR_EMAIL: operator.email, OPERATOR_PASSWORD: operator.password }],
      ]),
    configMaps: () =>
      new Map([
        ['token-keys', { JWKS: JSON.stringify({ keys: [publicKey(signingKey)] }) }],
        ['seal-keys', { SEAL_KEYS: sealKeys.map(verifierKey).join('\n') }],
      ]),
  }
}

function databaseSecret(context: string, url: string): [string, Record<string, string>] {
  return [`${context}-database`, { [`${context.toUpperCase()}_DATABASE_URL`]: url }]
}

function eventSecret(context: string, key: string): [string, Record<string, string>] {
  return [`${context}-events`, { [`${context.toUpperCase()}_EVENT_KEY`]: key }]
}

function create(): StoredSecrets {
  const key = newKey()
  return {
    requestSigningKey: password(),
    frontDoorKey: password(),
    sealKeys: [newKey()],
    eventKeys: {},
    ingressToken: password(),
    signingKey: { ...key, alg: 'EdDSA', use: 'sig', kid: thumbprint(key) },
    operator: { email: 'operator@microbank.localhost', password: password(), shown: false },
    databases: {},
  }
}

const newKey = (): JsonWebKey => generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })

/** Returns 24 random bytes as letters, digits, - and _, which need no escaping in URLs, JSON or a shell. */
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

function read(file: string): StoredSecrets | undefined {
  const text = readText(file)
  if (text === undefined && !existsSync(file)) return undefined
  const stored = fieldsOf(text)
  if (isStored(stored)) return stored
  // The file is not replaced: new keys would sign everybody out, and nobody would know the operator's
  // password. A person must decide that.
  throw new Error(
    `${file} is damaged. Put a copy of it back. If there is none, remove the file: the next start makes new keys and ` +
      "passwords, and the money and all customers stay (docs/troubleshooting.md, 'secrets.json is damaged').",
  )
}

function isStored(value: unknown): value is StoredSecrets {
  if (!isObject(value)) return false
  const { signingKey, requestSigningKey, operator, databases } = value
  return (
    isText(requestSigningKey) &&
    isObject(signingKey) &&
    ['d', 'x', 'kid'].every((name) => isText(signingKey[name])) &&
    isObject(operator) &&
    [operator.email, operator.password].every(isText) &&
    isObject(databases) &&
    Object.values(databases).every((pair) => isObject(pair) && isText(pair.owner) && isText(pair.functions))
  )
}

const isText = (value: unknown): boolean => typeof value === 'string' && value !== ''

function write(file: string, stored: StoredSecrets): void {
  writeDurably(file, `${JSON.stringify(stored, undefined, 2)}\n`)
}
