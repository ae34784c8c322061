import { createHash, generateKeyPairSync, randomBytes, type JsonWebKey } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { callingContexts } from '../../functions/contexts.ts'
import { verifierKey } from '../../functions/host/transparency/checkpoint.ts'
import type { DatabasePasswords } from '../postgres/databases.ts'
import { fieldsOf, isObject, readText, writeDurably } from './data-folder/own-files.ts'

/** `iat` is when it was made, in seconds since 1970. Keys of an earlier version don't say it. */
type NamedKey = JsonWebKey & { kid: string; iat?: number }

/**
 * The secrets that the runtime generates once for a data folder. They are in its `secrets.json`, which only
 * the owner can read.
 */
interface StoredSecrets {
  signingKey: NamedKey
  requestSigningKey: string
  frontDoorKey: string
  /** The secrets of web hooks are derived from it. */
  webHookKey: string
  /** The tokens of mailed links follow from it. */
  linkKey: string
  /** Signs the web hooks of the sandbox provider. */
  sandboxHookSecret: string
  /** The keys that sign seals. Two while one replaces the other. */
  sealKeys: JsonWebKey[]
  /** By context: the key that signs its events. */
  eventKeys: Record<string, string>
  /** By context: the key that signs its calls on behalf of customers. */
  callKeys: Record<string, NamedKey>
  /** The access key of the store of documents. */
  documentStoreKey: string
  /** Lets a client of another machine publish events. */
  ingressToken: string
  operator: { email: string; password: string; shown: boolean }
  /** Undefined until somebody has asked for a demo customer. */
  demoCustomer?: DemoCustomer | undefined
  databases: Record<string, DatabasePasswords>
}

/** The customer whom the page to sign in offers on a laptop. */
export interface DemoCustomer {
  email: string
  password: string
  /** Whether they have their accounts and their history. */
  isComplete: boolean
}

export interface SecretStore {
  /** The token that clients of other machines must send to the Broker's ingress. */
  readonly ingressToken: string
  databasePasswords: Readonly<Record<string, DatabasePasswords>>
  operator: { readonly email: string; readonly password: string }
  /** True until `markOperatorShown`: the password is shown to a person once, at the first start. */
  showOperator: boolean
  markOperatorShown(): void
  readonly demoCustomer: DemoCustomer | undefined
  /** Stores them before it returns. */
  keepDemoCustomer(customer: DemoCustomer): void
  /** The data of the Secrets and ConfigMaps that a cluster gets when the bank is installed, by name. */
  secrets(
    databaseUrls: Readonly<Record<string, string>>,
    documentStore?: Readonly<Record<string, string>>,
  ): Map<string, Record<string, string>>
  /** Name and secret of the access key of a store of documents that belongs to the bank. */
  documentStoreKey: { readonly id: string; readonly key: string }
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
  stored.webHookKey ??= password()
  stored.linkKey ??= password()
  stored.sandboxHookSecret ??= webHookSecret()
  stored.sealKeys ??= [newKey()]
  stored.eventKeys ??= {}
  stored.callKeys ??= {}
  stored.ingressToken ??= password()
  stored.documentStoreKey ??= password()
  for (const context of contexts) {
    stored.databases[context] ??= { owner: password(), functions: password(), meter: password() }
    stored.databases[context].meter ??= password()
    stored.eventKeys[context] ??= password()
  }
  for (const context of callingContexts) stored.callKeys[context] ??= namedKey()
  if (JSON.stringify(stored) !== before) write(file, stored)
  const {
    signingKey,
    requestSigningKey,
    frontDoorKey,
    sealKeys,
    operator,
    eventKeys,
    callKeys,
    ingressToken,
  } = stored
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
    get demoCustomer() {
      return stored.demoCustomer
    },
    keepDemoCustomer(customer) {
      stored.demoCustomer = customer
      write(file, stored)
    },
    documentStoreKey: { id: 'microbank', key: stored.documentStoreKey },
    secrets: (databaseUrls, documentStore = {}) =>
      new Map([
        ...Object.entries(databaseUrls).map(([context, url]) => databaseSecret(context, url)),
        ...Object.entries(eventKeys).map(([context, key]) => eventSecret(context, key)),
        ...Object.entries(callKeys).map(([context, key]) => callSecret(context, key)),
        ['token-signing-key', { JWT_SIGNING_KEY: JSON.stringify(signingKey) }],
        ['ledger-requests', { REQUEST_SIGNING_KEY: requestSigningKey }],
        ['front-door-key', { FRONT_DOOR_KEY: frontDoorKey }],
        ['link-key', { LINK_KEY: stored.linkKey }],
        ['web-hook-key', { WEB_HOOK_KEY: stored.webHookKey }],
        ['sandbox-provider', { SANDBOX_HOOK_SECRETS: stored.sandboxHookSecret }],
        ['seal-signing-key', { SEAL_SIGNING_KEY: JSON.stringify({ keys: sealKeys }) }],
        ['document-store', documentStore],
        ['first-operator', { OPERATOR_EMAIL: operator.email, OPERATOR_PASSWORD: operator.password }],
      ]),
    configMaps: () =>
      new Map([
        ['token-keys', { JWKS: JSON.stringify({ keys: [publicKey(signingKey)] }) }],
        ['call-keys', { CALL_KEYS: JSON.stringify({ keys: Object.entries(callKeys).map(publicCallKey) }) }],
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

function callSecret(context: string, key: NamedKey): [string, Record<string, string>] {
  return [`${context}-calls`, { [`${context.toUpperCase()}_CALL_KEY`]: JSON.stringify(key) }]
}

function create(): StoredSecrets {
  return {
    requestSigningKey: password(),
    frontDoorKey: password(),
    webHookKey: password(),
    linkKey: password(),
    sandboxHookSecret: webHookSecret(),
    sealKeys: [newKey()],
    eventKeys: {},
    callKeys: {},
    ingressToken: password(),
    signingKey: namedKey(),
    documentStoreKey: password(),
    operator: { email: 'operator@microbank.localhost', password: password(), shown: false },
    databases: {},
  }
}

const newKey = (): JsonWebKey => generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })

function namedKey(): NamedKey {
  const key = newKey()
  return { ...key, alg: 'EdDSA', use: 'sig', kid: thumbprint(key), iat: Math.floor(Date.now() / 1000) }
}

/** Returns 24 random bytes as letters, digits, - and _, which need no escaping in URLs, JSON or a shell. */
function password(): string {
  return randomBytes(24).toString('base64url')
}

/** Returns a secret as Standard Webhooks writes it. */
const webHookSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`

/** RFC 7638: the same key has the same id everywhere. */
function thumbprint({ crv, kty, x }: JsonWebKey): string {
  return createHash('sha256').update(JSON.stringify({ crv, kty, x })).digest('base64url')
}

function publicKey({ d: _private, ...rest }: JsonWebKey): JsonWebKey {
  return rest
}

/** `iss` names the context: a key is good for its own context only. */
const publicCallKey = ([context, key]: [string, NamedKey]): JsonWebKey => ({
  ...publicKey(key),
  iss: context,
})

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
