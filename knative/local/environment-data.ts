import type { Manifests } from './manifests/manifests.ts'
import { SPANS_OF, SPANS_TO } from './gateway/hosts.ts'
import { givenSecrets, overridden, type EnvData } from './manifests/environment.ts'
import type { OwnKeys } from './own-doors.ts'
import type { SecretStore } from './secrets.ts'
import type { Backends } from './servers/backends.ts'
import type { SignInCode } from './sign-in-code.ts'

/** What the environment of the functions is made from. */
interface Surroundings {
  secrets: SecretStore
  signInCode: SignInCode
  /** The secret by which the runtime knows the function that asks for the lab: another one at each start. */
  labKey: string
  /** Undefined if the runtime shows neither a demo customer nor emails. */
  ownKeys: OwnKeys | undefined
  manifests: Pick<Manifests, 'configMaps'>
  env: NodeJS.ProcessEnv
}

export type UsedServers = Pick<Backends, 'databases'> & {
  /** The URL of the mail server that catches emails; undefined if there is none. */
  mailUrl: string | undefined
}

/**
 * Returns what makes the Secrets and ConfigMaps of this bank. They name the public port, which is known when
 * the first process starts, and not yet when the Services are made.
 */
export function environmentData(
  bank: Surroundings,
  servers: UsedServers,
  publicPort: () => number,
): () => EnvData {
  const byPort = new Map<number, EnvData>()
  return () => {
    const port = publicPort()
    const made = byPort.get(port) ?? dataFor(bank, servers, port)
    byPort.set(port, made)
    return made
  }
}

/** The most traces that begin in a second. A hand-made request is always among them; under load, traces cost
 * next to nothing. */
const TRACES_PER_SECOND_MAX = '10'

/**
 * Spans stay here, unless somebody leads them elsewhere, as many as they want. Then the bank reads none,
 * unless they say where.
 */
const tracesOf = ({ OTEL_EXPORTER_OTLP_ENDPOINT: elsewhere }: NodeJS.ProcessEnv): Record<string, string> =>
  elsewhere === undefined
    ? { OTEL_EXPORTER_OTLP_ENDPOINT: SPANS_TO, TRACES_URL: SPANS_OF, TRACES_PER_SECOND_MAX }
    : { TRACES_URL: '', TRACES_PER_SECOND_MAX: '1000000' }

/** Only the public port is between a client and a function. It replaces what the client says about itself.
 * Web hooks may lead to this machine, because nothing else is on a laptop. */
const HERE = {
  TRUSTED_HOPS: '1',
  TRUSTED_HOPS_MAPPED: '1',
  WEB_HOOK_PRIVATE_ADDRESSES: 'allowed',
}

const FIRST_OPERATOR = 'first-operator'

/** A laptop has no store of its own for documents: they are in the database, unless these variables name
 * another store. */
const DOCUMENT_STORE = ['URL', 'REGION', 'KEY_ID', 'KEY'].map((name) => `DOCUMENT_STORE_${name}`)

const documentStoreIn = (env: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(
    DOCUMENT_STORE.flatMap((name) => {
      const value = env[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )

function dataFor(
  { secrets, signInCode, labKey, ownKeys, manifests, env }: Surroundings,
  { databases, mailUrl }: UsedServers,
  publicPort: number,
): EnvData {
  const urls = Object.entries(databases).map(([context, { functions }]) => [context, functions] as const)
  const generated = secrets.secrets(Object.fromEntries(urls), documentStoreIn(env))
  return {
    Secret: new Map([
      ...generated,
      // A cluster's Secret has no code.
      [FIRST_OPERATOR, { ...generated.get(FIRST_OPERATOR), SIGN_IN_CODE: signInCode.setting }] as const,
      // Nor has it a lab.
      ['lab-key', { LAB_KEY: labKey }] as const,
      // Nor a demo customer, or caught mails.
      ...(ownKeys
        ? ([
            ['demo-key', { DEMO_KEY: ownKeys.demo }],
            ['mail-key', { MAIL_KEY: ownKeys.mails }],
          ] as const)
        : []),
      ...givenSecrets(env),
      ...(mailUrl ? [['mail-server', { SMTP_URL: mailUrl, SMTP_TLS: 'none' }] as const] : []),
    ]),
    ConfigMap: new Map([
      ...overridden(manifests.configMaps, {
        ...{ ...HERE, ...tracesOf(env), PUBLIC_URL: `http://localhost:${publicPort}` },
        ...(mailUrl && { MESSAGE_CHANNELS: 'email' }),
        ...env,
      }),
      ...secrets.configMaps(),
    ]),
  }
}
