// Checks every manifest that skaffold deploys, each overlay as kubectl renders it, against the schema of its
// kind: those of Kubernetes, and those of the releases that npm run cluster:up installs. A field that a
// schema doesn't know is an error, because the API server would drop it without a word. It needs kubectl,
// kubeconform and the network.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { releaseUrls, writeSchemas } from './schemas.mjs'

/** Folders and files applied besides: by cluster:up, by the hook that makes the Secrets, and by skaffold
 * verify. */
const BESIDES = ['cluster/broker-pods', 'isolation/namespaces', 'cluster/smoke-job'].map(
  (name) => `knative/${name}.yaml`,
)
const read = (/** @type {string} */ file) => readFileSync(file, 'utf8')
const versions = read('knative/cluster/versions.env')
const schemas = mkdtempSync(join(tmpdir(), 'microbank-schemas-'))

try {
  for (const url of releaseUrls(read('knative/cluster/up.sh'), versions)) {
    const response = await fetch(url)
    if (!response.ok) throw new Error(`expected ${url} to answer 200, got ${response.status}`)
    console.log(`${writeSchemas(await response.text(), schemas)} kinds of ${url}`)
  }
  const [, minor] = /^KUBERNETES_MINOR=(\d+)$/m.exec(versions) ?? []
  const { status, error } = spawnSync(
    'kubeconform',
    [
      ['-strict', '-summary', '-kubernetes-version', `1.${minor}.0`],
      ['-schema-location', 'default'],
      ['-schema-location', `${schemas}/{{.Group}}_{{.ResourceKind}}_{{.ResourceAPIVersion}}.json`],
    ].flat(),
    { input: rendered().join('\n---\n'), stdio: ['pipe', 'inherit', 'inherit'] },
  )
  if (error) throw error
  process.exitCode = status ?? 1
} finally {
  rmSync(schemas, { recursive: true })
}

/** Returns what skaffold would deploy with each of its profiles, and what is applied besides. */
function rendered() {
  const modules = parseAllDocuments(read('skaffold.yaml')).map((document) => document.toJS())
  const manifests = modules.flatMap(({ manifests = {}, profiles = [] }) => [
    manifests,
    ...profiles.map((/** @type {{ manifests?: object }} */ { manifests }) => manifests ?? {}),
  ])
  const overlays = new Set(manifests.flatMap(({ kustomize }) => kustomize?.paths ?? []))
  const files = new Set(manifests.flatMap(({ rawYaml }) => rawYaml ?? []))
  return [
    ...[...overlays].map((path) => execFileSync('kubectl', ['kustomize', path], { encoding: 'utf8' })),
    ...[...files, ...BESIDES].map(read),
  ]
}
