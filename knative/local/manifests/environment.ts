import type { EnvSource, ServiceManifest } from './service-manifest.ts'

/** Secrets and ConfigMaps by name, each with its data. */
export interface EnvData {
  Secret: ReadonlyMap<string, Record<string, string>>
  ConfigMap: ReadonlyMap<string, Record<string, string>>
}

/**
 * The variables of the runtime's own environment that a function gets: only what every process needs. A
 * container on a cluster would not see the others (passwords of owners, a developer's tokens) either.
 */
const INHERITED = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'SystemRoot']

/** The part of an environment that every process gets. */
export const inherited = (own: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(INHERITED.flatMap((name) => (own[name] === undefined ? [] : [[name, own[name]]])))

/**
 * Returns the environment of a Service's processes: the variables of its manifest, with Secrets and
 * ConfigMaps resolved, and those that Knative adds (K_SERVICE, K_REVISION, K_CONFIGURATION). PORT is not
 * included: each process has its own.
 * @param own the runtime's environment
 * @param local settings that only the local runtime gives
 * @throws an error with the manifest's file if a Secret, a ConfigMap or a key is missing
 */
export function environmentOf(
  manifest: ServiceManifest,
  data: EnvData,
  own: NodeJS.ProcessEnv,
  local: Record<string, string>,
): Record<string, string> {
  return {
    ...inherited(own),
    NODE_ENV: 'production',
    ...local,
    ...Object.assign({}, ...manifest.env.map((source) => resolve(manifest, source, data))),
    K_SERVICE: manifest.name,
    K_CONFIGURATION: manifest.name,
    K_REVISION: `${manifest.name}-00001`,
  }
}

function resolve(manifest: ServiceManifest, source: EnvSource, data: EnvData): Record<string, string> {
  if (source.kind === 'value') return { [source.name]: source.value }
  const found = data[source.of].get(source.from)
  if (source.kind === 'all') {
    if (!found && !source.optional) throw missing(manifest, `${source.of} ${source.from}`)
    return Object.fromEntries(Object.entries(found ?? {}).map(([key, value]) => [source.prefix + key, value]))
  }
  const value = found?.[source.key]
  if (value !== undefined) return { [source.name]: value }
  if (source.optional) return {}
  throw missing(manifest, `${source.of} ${source.from} with a key ${source.key}`)
}

function missing(manifest: ServiceManifest, what: string): Error {
  return new Error(`${manifest.file}: Service ${manifest.name} needs ${what}, which is missing`)
}

/** Secrets that Services may do without, and their keys. */
const OPTIONAL_SECRETS = {
  'mail-server': ['SMTP_URL', 'SMTP_TLS', 'SMTP_CA'],
  'sms-provider': ['SMS_URL', 'SMS_TOKEN', 'SMS_BODY'],
  'push-keys': ['VAPID_PRIVATE_KEY'],
}

/**
 * Returns the Secrets that nobody can generate, from variables of the runtime's own environment: so
 * `MESSAGE_CHANNELS=email SMTP_URL=... npm start` sends emails. A Secret of which no key is there is left
 * out.
 */
export const givenSecrets = (own: NodeJS.ProcessEnv): Map<string, Record<string, string>> =>
  new Map(
    Object.entries(OPTIONAL_SECRETS).flatMap(([name, keys]) => {
      const given = keys.flatMap((key) => (own[key] === undefined ? [] : [[key, own[key]]]))
      return given.length === 0 ? [] : [[name, Object.fromEntries(given) as Record<string, string>]]
    }),
  )

/**
 * Returns the ConfigMaps of the manifests. If the runtime's own environment has a variable of the same name
 * as a key, its value wins: `LOG_LEVEL=debug npm start`.
 */
export function overridden(
  configMaps: ReadonlyMap<string, Record<string, string>>,
  own: NodeJS.ProcessEnv,
): Map<string, Record<string, string>> {
  const override = (data: Record<string, string>) =>
    Object.fromEntries(Object.entries(data).map(([key, value]) => [key, own[key] ?? value]))
  return new Map([...configMaps].map(([name, data]) => [name, override(data)]))
}
