// For skaffold's profile `dev`: reads the manifests that skaffold is about to apply from standard input, and
// writes them to standard output. A Service that a change does not affect keeps its present image. Without
// this, a changed line would make a new revision of every Service, because all functions are in one image.
// With it, only the Services whose bundle changed get a new revision.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseAllDocuments, stringify } from 'yaml'
import { kubectl } from './kubectl.mjs'

/**
 * A Kubernetes object.
 * @typedef {Record<string, any>} KubernetesObject
 */

const root = join(fileURLToPath(import.meta.url), '../../..')

/**
 * Annotation that says what an object runs: a digest of its part of the image, and the image. It is on the
 * object, not on its template, where it would make a new revision.
 */
const CONTENT = 'microbank.dev/content'
/** Label that skaffold sets: it is the same for as long as one skaffold runs. */
const RUN = 'skaffold.dev/run-id'

/**
 * Returns the manifests with an annotation on each Service, Job and StatefulSet that says what it runs. An
 * object whose content did not change keeps its present image. A Job keeps it only within one run of
 * skaffold: each run applies the migrations once, because a database may have been restored or made anew in
 * between.
 * @param {string} manifests YAML documents
 * @param {(container: KubernetesObject) => string | undefined} contentOf returns the digest of what a
 *   container runs; undefined if the container doesn't run the bank's image
 * @param {(resource: string, namespace: string) => KubernetesObject[]} present returns the objects that are
 *   on the cluster now
 * @returns {string} YAML documents
 */
export function keepUnchanged(manifests, contentOf, present) {
  const objects = parseAllDocuments(manifests).flatMap((document) => document.toJS() ?? [])
  for (const { apiVersion, kind, metadata, spec } of objects) {
    const container = containerOf({ spec })
    const content = container && contentOf(container)
    if (content === undefined) continue
    const now = present(`${kind}.${apiVersion.split('/')[0]}`, metadata.namespace).find(
      (object) => object.metadata.name === metadata.name,
    )
    const image = now && containerOf(now).image
    const isSame = now?.metadata.annotations?.[CONTENT] === `${content} ${image}`
    if (isSame && (kind !== 'Job' || isOfThisRun(now, metadata))) container.image = image
    metadata.annotations = { ...metadata.annotations, [CONTENT]: `${content} ${container.image}` }
  }
  return objects.map((object) => stringify(object, { aliasDuplicateObjects: false })).join('---\n')
}

/** @param {KubernetesObject} object */
const containerOf = ({ spec }) => spec?.template?.spec?.containers?.[0]

/**
 * Whether a Job belongs to this run of skaffold and has not failed. A failed Job must be replaced: if it
 * stayed, no later change would try the migrations again.
 * @param {KubernetesObject} job
 * @param {KubernetesObject} metadata
 */
function isOfThisRun({ metadata, status }, { labels }) {
  const conditions = /** @type {KubernetesObject[]} */ (status?.conditions ?? [])
  const failed = conditions.some((condition) => condition.type === 'Failed' && condition.status === 'True')
  return !failed && metadata.labels?.[RUN] === labels?.[RUN]
}

/**
 * Computes what an image built from this tree would hold. For a function: its bundle and the packages beside
 * it. For the migrations: their bundle and the SQL. Dependencies and the base image count by the files that
 * name them. For the meter: its bundle, and what it shows with 0 from the start.
 * @returns {(container: KubernetesObject) => string | undefined}
 */
function readContent() {
  mkdirSync(join(root, '.microbank'), { recursive: true })
  const folder = mkdtempSync(join(root, '.microbank/bundles-'))
  try {
    // The build runs in a process of its own: skaffold reads as manifests all that this process prints, and
    // the code may print while it is loaded.
    const { href } = new URL('../build/build.mjs', import.meta.url)
    const build = `import('${href}').then(({ buildInto }) => buildInto(${JSON.stringify(folder)}))`
    execFileSync(process.execPath, ['--eval', build], { stdio: ['ignore', 'pipe', 'pipe'] })
    const image = digest([digestOf(root, 'Dockerfile'), digestOf(root, 'package-lock.json')])
    const shared = [image, digestOf(folder, 'function.cjs'), digestOf(folder, 'functions/lib')]
    const migrations = digest([image, digestOf(folder, 'migrate.cjs'), digestOf(folder, 'sql')])
    const ofMeter = ['meter.cjs', 'catalogue.json', 'refusals.json']
    const meter = digest([image, ...ofMeter.map((name) => digestOf(folder, name))])
    const functions = new Map(
      readdirSync(join(folder, 'functions')).map((file) => [
        file.replace(/\.cjs$/, ''),
        digest([...shared, digestOf(folder, `functions/${file}`)]),
      ]),
    )
    return ({ command, args = [] }) => {
      if (command?.includes('dist/migrate.cjs')) return migrations
      if (command?.includes('dist/meter.cjs')) return meter
      return command ? undefined : functions.get(args[0])
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/**
 * The digest of a file, or of all files in a folder with their names.
 * @param {string} folder
 * @param {string} name
 * @returns {string}
 */
function digestOf(folder, name) {
  const path = join(folder, name)
  if (!statSync(path).isDirectory()) return digest([name, readFileSync(path)])
  const names = readdirSync(path).sort()
  return digest(names.map((inner) => digestOf(folder, join(name, inner))))
}

/** @param {(string | Buffer)[]} parts */
function digest(parts) {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(`${part.length}\0`).update(part)
  return hash.digest('hex')
}

/**
 * Returns a function that lists the objects of a resource in a namespace; it asks the cluster once for each.
 * If the cluster can't be asked, for example because somebody only wants to see the manifests, the list is
 * empty and everything gets the new image.
 * @returns {(resource: string, namespace: string) => KubernetesObject[]}
 */
function cluster() {
  /** @type {Map<string, KubernetesObject[]>} */
  const asked = new Map()
  const ask = (/** @type {string[]} */ args) => {
    try {
      return JSON.parse(kubectl(['get', ...args, '--output', 'json'], { stderr: 'ignore' })).items
    } catch {
      return []
    }
  }
  return (resource, namespace) => {
    const key = `${namespace}/${resource}`
    const found = asked.get(key) ?? ask([resource, '--namespace', namespace])
    asked.set(key, found)
    return found
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href)
  process.stdout.write(keepUnchanged(await text(process.stdin), readContent(), cluster()))
