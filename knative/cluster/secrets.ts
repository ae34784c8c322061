import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { databaseContexts } from '../../functions/contexts.ts'
import { openSecrets, type SecretStore } from '../local/secrets.ts'
import { meterRole } from '../postgres/databases.ts'

/** Runs kubectl with these arguments and this standard input. Returns what it prints. Throws if it fails. */
export type Kubectl = (args: readonly string[], input?: string) => string

type Data = Record<string, string>
interface Item {
  kind: 'Secret' | 'ConfigMap'
  namespace: string
  name: string
  data: Data
}

/**
 * The Secret that holds everything that was ever generated, in the format of the local runtime's
 * secrets.json. The other Secrets are made from it.
 */
const SOURCE = { namespace: 'data', name: 'microbank-secrets', key: 'secrets.json' }
/** Where functions find the certificate of the databases' authority. */
const CA_FILE = '/etc/microbank/database-ca/ca.crt'

/**
 * Gives a cluster the Secrets and ConfigMaps that the Services name: the passwords of the databases, the keys
 * and the first operator. Never changes what exists, so it may run before every deployment. A Secret that was
 * deleted comes back as it was.
 * @param root the repository; its namespaces and certificates are applied first
 * @returns the names of what was made
 */
export function installSecrets(kubectl: Kubectl, root: string, log: (line: string) => void): string[] {
  log('applying the namespaces and the certificate authority of the databases')
  kubectl(['apply', '--filename', join(root, 'knative/isolation/namespaces.yaml')])
  kubectl(['apply', '--filename', join(root, 'knative/postgres/certificates.yaml')])
  const items = withStore(kubectl, (store) => itemsFrom(store))
  const present = new Set(['bank', 'data', 'monitoring'].flatMap((namespace) => namesIn(kubectl, namespace)))
  const missing = items.filter((item) => !present.has(nameOf(item)))
  for (const item of missing) {
    log(`making ${item.kind} ${item.name} in ${item.namespace}`)
    kubectl(['create', '--filename', '-'], manifest(item))
  }
  log('waiting for the certificate of the databases’ authority')
  kubectl(['wait', '--namespace=data', '--for=condition=Ready', 'certificate/database-ca', '--timeout=120s'])
  const authority = read(kubectl, 'data', 'database-ca')?.['ca.crt']
  if (!authority) throw new Error('expected ca.crt in the Secret database-ca of cert-manager, found none')
  // The certificate is public and cert-manager may change it, so these copies are always brought up to date.
  for (const namespace of ['bank', 'monitoring']) {
    const data = { 'ca.crt': authority }
    kubectl(
      ['apply', '--filename', '-'],
      manifest({ kind: 'ConfigMap', namespace, name: 'database-ca', data }),
    )
  }
  return missing.map(({ name }) => name)
}

/**
 * Opens the store that the cluster keeps, in a file that only this user can read, and saves what was added to
 * it.
 */
function withStore<T>(kubectl: Kubectl, work: (store: SecretStore) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'microbank-secrets-'))
  const file = join(folder, SOURCE.key)
  try {
    const before = read(kubectl, SOURCE.namespace, SOURCE.name)?.[SOURCE.key]
    if (before !== undefined) writeFileSync(file, before, { mode: 0o600 })
    const store = openSecrets(folder, databaseContexts)
    const after = readFileSync(file, 'utf8')
    if (after !== before) {
      const item = { kind: 'Secret', ...SOURCE, data: { [SOURCE.key]: after } } as const
      // Not `apply`, which would repeat the content in an annotation. If two first runs happen at once, one
      // is refused.
      kubectl([before === undefined ? 'create' : 'replace', '--filename', '-'], manifest(item))
    }
    return work(store)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function itemsFrom(store: SecretStore): Item[] {
  const url = (context: string, role: string, password: string): string =>
    `postgres://${role}:${password}@${context}-postgres.data.svc.cluster.local:5432/${context}` +
    `?sslmode=verify-full&sslrootcert=${CA_FILE}`
  const passwords = databaseContexts.map((context) => ({ context, ...store.databasePasswords[context]! }))
  const secret = (namespace: string, name: string, data: object): Item => ({
    kind: 'Secret',
    namespace,
    name,
    data: data as Data,
  })
  const { id, key } = store.documentStoreKey
  const documentStore = {
    DOCUMENT_STORE_URL: 'http://document-store.data.svc.cluster.local:7070/documents',
    DOCUMENT_STORE_KEY_ID: id,
    DOCUMENT_STORE_KEY: key,
  }
  const functionUrls = passwords.map(({ context, functions }) => [context, url(context, context, functions)])
  return [
    ...passwords.map(({ context, owner, functions, meter }) =>
      secret('data', `${context}-postgres-passwords`, { owner, functions, meter }),
    ),
    ...passwords.map(({ context, meter }) =>
      secret('monitoring', `${context}-database-meter`, {
        [`${context.toUpperCase()}_DATABASE_METER_URL`]: url(context, meterRole(context), meter),
      }),
    ),
    ...passwords.map(({ context, owner }) =>
      secret('bank', `${context}-database-owner`, {
        [`${context.toUpperCase()}_DATABASE_OWNER_URL`]: url(context, `${context}_owner`, owner),
      }),
    ),
    secret('data', 'document-store-root', { id, key }),
    ...[...store.secrets(Object.fromEntries(functionUrls), documentStore)].map(([name, data]) =>
      secret('bank', name, data),
    ),
    ...[...store.configMaps()].map(([name, data]): Item => ({
      kind: 'ConfigMap',
      namespace: 'bank',
      name,
      data,
    })),
  ]
}

const nameOf = ({ kind, namespace, name }: Item): string => `${namespace} ${kind.toLowerCase()}/${name}`

/**
 * The names of all Secrets and ConfigMaps, with one question: this runs before every deployment, even for one
 * changed line.
 */
const namesIn = (kubectl: Kubectl, namespace: string): string[] =>
  kubectl(['get', 'Secret,ConfigMap', `--namespace=${namespace}`, '--output=name'])
    .split('\n')
    .map((line) => `${namespace} ${line}`)

/** The data of a Secret as text; undefined if there is no such Secret. */
function read(kubectl: Kubectl, namespace: string, name: string): Data | undefined {
  const found = kubectl([
    'get',
    'Secret',
    name,
    `--namespace=${namespace}`,
    '--ignore-not-found',
    '--output=json',
  ])
  if (found.trim() === '') return undefined
  const { data = {} } = JSON.parse(found) as { data?: Data }
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]),
  )
}

/**
 * An object as JSON for kubectl's standard input: a secret is never an argument, because every process can
 * see arguments.
 */
function manifest({ kind, namespace, name, data }: Item): string {
  const content = kind === 'Secret' ? { type: 'Opaque', stringData: data } : { data }
  const labels = { 'app.kubernetes.io/part-of': 'microbank' }
  return JSON.stringify({ apiVersion: 'v1', kind, metadata: { name, namespace, labels }, ...content })
}
