import { databaseContexts, hasDatabase, type Context, type DatabaseContext } from '../contexts.ts'

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
  ...forEachContext('DATABASE_URL', (context) => ({
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
  ...forEachContext('EVENT_KEY', (context) => ({
    about: `secret of at least 32 characters that signs the events of ${context}`,
    parse: secret,
  })),
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

/** A setting for each context that has a database: LEDGER_DATABASE_URL, ... */
function forEachContext<Suffix extends string, Value>(
  suffix: Suffix,
  setting: (context: DatabaseContext) => Setting<Value>,
): Record<SettingOf<DatabaseContext, Suffix>, Setting<Value>> {
  const all = databaseContexts.map((context) => [settingOf(context, suffix), setting(context)])
  return Object.fromEntries(all) as Record<SettingOf<DatabaseContext, Suffix>, Setting<Value>>
}

/** The setting that holds the URL of a context's database. */
export const databaseSetting = (context: Context) =>
  hasDatabase(context) ? settingOf(context, 'DATABASE_URL') : undefined

/** The setting that holds the key of a context's events: to sign its own, or to check another's. */
export const eventKeySetting = (context: string) => settingOf(context as DatabaseContext, 'EVENT_KEY')

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

function text(value: string): string {
  return value
}

/** Parses a whole number of a range; `what` names it to whoever wrote another one. */
function wholeNumber(from: number, to: number, what = 'a number'): (value: string) => number {
  return (value) => {
    const number = Number(value)
    if (!Number.isInteger(number) || number < from || number > to)
      throw expected(`${what} from ${from} to ${to}`, value)
    return number
  }
}

/** At most 10^15, the limit for a single amount. */
function minorUnits(value: string): bigint {
  if (!/^[1-9][0-9]{0,15}$/.test(value) || BigInt(value) > 10n ** 15n)
    throw expected(`a number from 1 to ${10n ** 15n}`, value)
  return BigInt(value)
}

function oneOf<const Choices extends readonly string[]>(
  ...choices: Choices
): (value: string) => Choices[number] {
  return (value) => {
    if (!choices.includes(value)) throw expected(`one of ${choices.join(', ')}`, value)
    return value
  }
}

function secret(value: string): string {
  if (value.length < 32) throw new Error('must have at least 32 characters')
  return value
}

function url(value: string, protocols: readonly string[]): string {
  let protocol: string
  try {
    protocol = new URL(value).protocol
  } catch {
    throw new Error('is not a URL')
  }
  // The URL may hold a password, so the message does not repeat it.
  if (!protocols.includes(protocol)) throw new Error(`must begin with ${protocols.join(' or ')}`)
  return value
}

function postgresUrl(value: string): string {
  return url(value, ['postgres:', 'postgresql:'])
}

function httpUrl(value: string): string {
  return url(value, ['http:', 'https:'])
}

/** A `fallback` is text that is parsed too, so the empty text stands for undefined. */
function optionalHttpUrl(value: string): string | undefined {
  return value === '' ? undefined : httpUrl(value)
}

function headerList(value: string): Record<string, string> {
  const pairs = value.split(',').filter((pair) => pair.trim() !== '')
  return Object.fromEntries(
    pairs.map((pair) => {
      const [name = '', ...rest] = pair.split('=')
      // The value may be a password, so the message does not repeat it.
      if (rest.length === 0 || name.trim() === '')
        throw new Error('must be name=value pairs, separated by commas')
      return [name.trim(), decodeURIComponent(rest.join('=').trim())]
    }),
  )
}

function fraction(value: string): number {
  const number = Number(value)
  if (!(number >= 0 && number <= 1)) throw expected('a number from 0 to 1', value)
  return number
}

function hostAndPort(value: string): { host: string; port: number } | undefined {
  if (value === '') return undefined
  const [host, number] = value.split(':')
  if (!host || !number) throw expected('host:port', value)
  return { host, port: wholeNumber(0, 65_535, 'a port number')(number) }
}

function json(value: string): Record<string, unknown> {
  const parsed: unknown = JSON.parse(value)
  if (typeof parsed !== 'object' || parsed === null) throw new Error('must be a JSON object')
  return parsed as Record<string, unknown>
}

function keySet(value: string): { keys: Record<string, unknown>[] } {
  const { keys } = json(value)
  if (!Array.isArray(keys) || keys.length === 0) throw new Error('must be a JWK Set with at least one key')
  return { keys }
}

function verifierKeys(value: string): string[] {
  const keys = value.split(/\s+/).filter((key) => key !== '')
  const wrong = keys.find((key) => !/^[^+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+$/.test(key))
  if (wrong !== undefined || keys.length === 0) throw expected('name+id+key for each key', wrong ?? value)
  return keys
}

function expected(what: string, value: string): Error {
  return new Error(`must be ${what}, not '${value}'`)
}
