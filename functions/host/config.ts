import {
  callingContexts,
  databaseContexts,
  hasDatabase,
  type CallingContext,
  type Context,
  type DatabaseContext,
} from '../contexts.ts'
import { messageSettings } from './message-settings.ts'
import {
  fraction,
  headerList,
  hostAndPort,
  httpUrl,
  json,
  keySet,
  minorUnits,
  oneOf,
  optionalHttpUrl,
  postgresUrl,
  secret,
  text,
  verifierKeys,
  wholeNumber,
} from './setting-values.ts'

/** Every setting that a function can read: what it is for, and how its text becomes a value. All settings
 * come from the environment, and this is the only place that reads process.env. */
const settings = {
  PORT: { about: 'port to listen on', parse: wholeNumber(0, 65_535, 'a port number'), fallback: '8080' },
  HOST: { about: 'address to listen on; empty is every address', parse: text, fallback: '' },
  K_SERVICE: { about: 'name of the Knative Service', parse: text, fallback: '' },
  K_REVISION: { about: 'name of the Knative revision', parse: text, fallback: '' },
  LOG_LEVEL: {
    about: 'debug, info, warn, error or off',
    parse: oneOf('debug', 'info', 'warn', 'error', 'off'),
    fallback: 'info',
  },
  ...forEachContext(databaseContexts, 'DATABASE_URL', (context) => ({
    about: `postgres:// URL of the ${context} database`,
    parse: postgresUrl,
  })),
  DATABASE_POOL_MAX: { about: 'connections per process', parse: wholeNumber(1, 1000), fallback: '4' },
  DATABASE_TIMEOUT_MS: {
    about: 'milliseconds after which a database that does not answer counts as away',
    parse: wholeNumber(1, 600_000, 'a number of milliseconds'),
    fallback: '10000',
  },
  BROKER_URL: {
    about: 'URL of the Broker’s ingress',
    parse: httpUrl,
    fallback: 'http://default-broker-ingress.bank.svc.cluster.local/',
  },
  SERVICE_DOMAIN: {
    about: 'domain of the Services’ cluster-local names',
    parse: text,
    fallback: 'bank.svc.cluster.local',
  },
  LOCAL_GATEWAY: {
    about: 'host:port of the gateway to use if there is no cluster',
    parse: hostAndPort,
    fallback: '',
  },
  TRUSTED_HOPS: {
    about: 'entries at the end of X-Forwarded-For that the platform’s own proxies write',
    parse: wholeNumber(0, 10),
    fallback: '0',
  },
  TRUSTED_HOPS_MAPPED: {
    about: 'the same through a DomainMapping',
    parse: wholeNumber(0, 10),
    fallback: '0',
  },
  FRONT_DOOR_KEY: {
    about: 'secret of at least 32 characters with which the front door signs a client’s address',
    parse: secret,
  },
  REGISTRATIONS_FREE: {
    about: 'registrations from one address in an hour before the next has to wait',
    parse: wholeNumber(1, 1000),
    fallback: '20',
  },
  LOGINS_FREE: {
    about: 'log-ins of one user from one address in an hour before the next has to wait',
    parse: wholeNumber(1, 1000),
    fallback: '100',
  },
  JWKS: { about: 'public keys that sign access tokens, as a JWK Set', parse: keySet },
  JWT_SIGNING_KEY: { about: 'private Ed25519 key that signs access tokens, as a JWK', parse: json },
  ...forEachContext(databaseContexts, 'EVENT_KEY', (context) => ({
    about: `secret of at least 32 characters that signs the events of ${context}`,
    parse: secret,
  })),
  ...forEachContext(callingContexts, 'CALL_KEY', (context) => ({
    about: `private Ed25519 key that signs the calls of ${context} on behalf of customers, as a JWK`,
    parse: json,
  })),
  CALL_KEYS: {
    about:
      'public keys of all contexts that call on behalf of customers, as a JWK Set; `iss` names the context',
    parse: keySet,
  },
  REQUEST_SIGNING_KEY: {
    about: 'secret of at least 32 characters that signs orders on their way through the Broker',
    parse: secret,
  },
  SEAL_SIGNING_KEY: {
    about: 'private Ed25519 keys that sign seals, as a JWK Set: one, or two while one replaces the other',
    parse: keySet,
  },
  SEAL_KEYS: {
    about: 'public keys of all seals, as name+id+key (c2sp.org/signed-note), separated by blanks',
    parse: verifierKeys,
  },
  ACCOUNTS_PER_CUSTOMER_MAX: {
    about: 'accounts that a customer can have, closed ones included',
    parse: wholeNumber(1, 1000),
    fallback: '100',
  },
  ACCOUNT_BALANCE_MAX: {
    about: 'highest balance of accounts opened from now on, in minor units',
    parse: minorUnits,
    fallback: '100000000000000',
  },
  OWN_DEPOSIT_MAX: {
    about: 'largest deposit by the owner, for accounts opened from now on, in minor units',
    parse: minorUnits,
    fallback: '1000000000000',
  },
  WEB_HOOK_KEY: {
    about: 'secret of at least 32 characters from which those of web hooks follow',
    parse: secret,
  },
  WEB_HOOK_PRIVATE_ADDRESSES: {
    about: 'allowed or refused, for web hooks',
    parse: oneOf('allowed', 'refused'),
    fallback: 'refused',
  },
  DOCUMENTS_PER_CUSTOMER_MAX: {
    about: 'documents that a customer can have',
    parse: wholeNumber(1, 100_000),
    fallback: '100',
  },
  DOCUMENT_MIB_PER_CUSTOMER_MAX: {
    about: 'MiB that the documents of a customer can have together',
    parse: wholeNumber(1, 1_000_000),
    fallback: '200',
  },
  DOCUMENT_STORE_URL: {
    about: 'URL of a bucket that speaks S3: https://host/bucket; if empty, the database keeps the documents',
    parse: optionalHttpUrl,
    fallback: '',
  },
  DOCUMENT_STORE_REGION: { about: 'region of that bucket', parse: text, fallback: 'us-east-1' },
  DOCUMENT_STORE_KEY_ID: { about: 'id of the access key for that bucket', parse: text, fallback: '' },
  DOCUMENT_STORE_KEY: { about: 'the secret part of that access key', parse: text, fallback: '' },
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    about: 'URL of a trace collector that takes OTLP over HTTP; if empty, no traces are exported',
    parse: optionalHttpUrl,
    fallback: '',
  },
  OTEL_EXPORTER_OTLP_HEADERS: {
    about: 'headers for the trace collector: name=value pairs, percent-encoded, separated by commas',
    parse: headerList,
    fallback: '',
  },
  // Incoming traces keep their caller's decision.
  OTEL_TRACES_SAMPLER_ARG: {
    about: 'fraction of the traces that begin here to export',
    parse: fraction,
    fallback: '1',
  },
  ...messageSettings,
  OPERATOR_EMAIL: { about: 'email address of the first operator', parse: text, fallback: '' },
  OPERATOR_PASSWORD: { about: 'password of the first operator', parse: text, fallback: '' },
} as const satisfies Record<string, Setting<unknown>>

interface Setting<Value> {
  about: string
  /** Returns the value. Throws an Error that says what was expected. */
  parse: (text: string) => Value
  fallback?: string
}

export type ConfigName = keyof typeof settings
export type Config = { readonly [Name in ConfigName]: ReturnType<(typeof settings)[Name]['parse']> }

type SettingOf<Name extends string, Suffix extends string> = `${Uppercase<Name>}_${Suffix}`

function settingOf<Name extends string, Suffix extends string>(context: Name, suffix: Suffix) {
  return `${context.toUpperCase()}_${suffix}` as SettingOf<Name, Suffix>
}

/** A setting for each of some contexts: LEDGER_DATABASE_URL, ... */
function forEachContext<Name extends Context, Suffix extends string, Value>(
  contexts: readonly Name[],
  suffix: Suffix,
  setting: (context: Name) => Setting<Value>,
): Record<SettingOf<Name, Suffix>, Setting<Value>> {
  const all = contexts.map((context) => [settingOf(context, suffix), setting(context)])
  return Object.fromEntries(all) as Record<SettingOf<Name, Suffix>, Setting<Value>>
}

/** The setting that holds the URL of a context's database. */
export const databaseSetting = (context: Context) =>
  hasDatabase(context) ? settingOf(context, 'DATABASE_URL') : undefined

/** The setting that holds the key of a context's events: to sign its own, or to check another's. */
export const eventKeySetting = (context: string) => settingOf(context as DatabaseContext, 'EVENT_KEY')

/** The setting that holds the key with which a context calls on behalf of customers. */
export const callKeySetting = (context: string) => settingOf(context as CallingContext, 'CALL_KEY')

/** Reads the settings in `needed`, and all that have a fallback. Throws one Error that lists everything
 * wrong. Reading a setting that has no fallback and was not in `needed` is a defect and throws. */
export function readConfig(needed: readonly ConfigName[], env: NodeJS.ProcessEnv = process.env): Config {
  const config: Record<string, unknown> = {}
  const wrong: string[] = []
  for (const [name, setting] of Object.entries<Setting<unknown>>(settings)) {
    const given = env[name] || setting.fallback
    if (given === undefined) {
      if (needed.includes(name as ConfigName)) wrong.push(`${name} is missing: expected ${setting.about}`)
      else Object.defineProperty(config, name, { get: () => undeclared(name) })
      continue
    }
    try {
      config[name] = setting.parse(given)
    } catch (error) {
      wrong.push(`${name} (${setting.about}) ${(error as Error).message}`)
    }
  }
  if (wrong.length > 0) throw new Error(wrong.join('\n'))
  return config as Config
}

function undeclared(name: string): never {
  throw new Error(`${name} is read but not declared; an operation that reads it must name it in "needs"`)
}
