import {
  callingContexts,
  databaseContexts,
  hasDatabase,
  type CallingContext,
  type Context,
  type DatabaseContext,
} from '../contexts.ts'
import type { contextSettings } from './settings/all.ts'
import {
  fraction,
  headerList,
  hostAndPort,
  httpUrl,
  json,
  keySet,
  oneOf,
  optionalHttpUrl,
  postgresUrl,
  secret,
  text,
  verifierKeys,
  wholeNumber,
  type Setting,
} from './setting-values.ts'

/** The settings that functions of all contexts, or of several, can read: what each is for, and how its text
 * becomes a value. Those of one context are in settings/, and only its functions load them. All settings come
 * from the environment, and this is the only place that reads process.env. */
const sharedSettings = {
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
  PUBLIC_URL: {
    about: 'URL of the bank’s pages, where mailed links lead, and from where its cookies are taken',
    parse: httpUrl,
    fallback: 'http://localhost:8080',
  },
  JWKS: { about: 'public keys that sign access tokens, as a JWK Set', parse: keySet },
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
  SEAL_KEYS: {
    about: 'public keys of all seals, as name+id+key (c2sp.org/signed-note), separated by blanks',
    parse: verifierKeys,
  },
  LINK_KEY: {
    about: 'secret of at least 32 characters from which the tokens of mailed links follow',
    parse: secret,
  },
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    about: 'URL of a trace collector that takes OTLP over HTTP; if empty, no traces are exported',
    parse: optionalHttpUrl,
    fallback: '',
  },
  OTEL_EXPORTER_OTLP_HEADERS: {
    about: 'headers for collectors: name=value pairs, percent-encoded, separated by commas',
    parse: headerList,
    fallback: '',
  },
  OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: {
    about: 'URL that takes metrics likewise; if empty, none are reported',
    parse: optionalHttpUrl,
    fallback: '',
  },
  // Incoming traces keep their caller's decision.
  OTEL_TRACES_SAMPLER_ARG: {
    about: 'fraction of the traces that begin here to export',
    parse: fraction,
    fallback: '1',
  },
  TRACES_PER_SECOND_MAX: {
    about: 'most traces that begin in a process and are exported, in a second on average',
    parse: wholeNumber(1, 1_000_000),
    fallback: '1000000',
  },
  TRACES_URL: {
    about: 'URL that gives the spans of a trace as OTLP, if its id is appended; if empty, none are read',
    parse: optionalHttpUrl,
    fallback: '',
  },
} as const satisfies Record<string, Setting<unknown>>

type ContextSettings = typeof contextSettings
type Settings = typeof sharedSettings &
  ContextSettings['identity'] &
  ContextSettings['ledger'] &
  ContextSettings['notifications'] &
  ContextSettings['payments'] &
  ContextSettings['documents'] &
  ContextSettings['web'] &
  ContextSettings['platform']

export type ConfigName = keyof Settings
export type Config = { readonly [Name in ConfigName]: ReturnType<Settings[Name]['parse']> }
/** The settings of one context. */
export type OwnSettings = Readonly<Record<string, Setting<unknown>>>

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

/** Reads the settings in `needed`, and all that have a fallback, of those that all share and those of the
 * function's own context. Throws one Error that lists everything wrong. Reading a setting of another context,
 * or one that has no fallback and was not in `needed`, is a defect and throws. */
export function readConfig(
  needed: readonly ConfigName[],
  own: OwnSettings,
  env: NodeJS.ProcessEnv = process.env,
): Config {
  const config: Record<string, unknown> = {}
  const wrong: string[] = []
  const settings: OwnSettings = { ...sharedSettings, ...own }
  for (const name of needed) if (!(name in settings)) wrong.push(`${name} is not a setting of this context`)
  for (const [name, setting] of Object.entries(settings)) {
    const given = env[name] || setting.fallback
    if (given === undefined) {
      if (needed.includes(name as ConfigName)) wrong.push(`${name} is missing: expected ${setting.about}`)
      continue
    }
    try {
      config[name] = setting.parse(given)
    } catch (error) {
      wrong.push(`${name} (${setting.about}) ${(error as Error).message}`)
    }
  }
  if (wrong.length > 0) throw new Error(wrong.join('\n'))
  return new Proxy(config, { get: read }) as Config
}

function read(config: Record<string | symbol, unknown>, name: string | symbol): unknown {
  // Whoever prints the object asks for symbols.
  if (name in config || typeof name === 'symbol') return config[name]
  throw new Error(
    `${name} is read but not declared; an operation that reads it must name it in "needs", or be of its context`,
  )
}
