import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import type { EventContract } from '../../eventing/contracts/contract.ts'
import { findOperations } from '../../knative/build/operations.mjs'
import type { Operation } from '../../functions/host/operation.ts'
import { readResources } from '../../knative/local/manifests/manifests.ts'

export const ROOT = join(__dirname, '../..')

/** Returns the files of the repository (tracked or new, not ignored), relative to its root. */
export function files(pattern: RegExp): string[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
  })
  return [...new Set(listed.split('\n'))].filter((file) => pattern.test(file) && exists(file))
}

function exists(file: string): boolean {
  try {
    readFileSync(join(ROOT, file))
    return true
  } catch {
    return false
  }
}

export const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8')

/** Resolves with every operation of the bank and the file that declares it. */
export async function operations(): Promise<(Operation & { file: string })[]> {
  return Promise.all(
    findOperations(ROOT).map(async ({ path }) => {
      const { default: declared } = (await import(path)) as { default: Operation }
      return { ...declared, file: path.slice(ROOT.length + 1) }
    }),
  )
}

/** Resolves with every event contract and the file that holds it. */
export async function contracts(): Promise<(EventContract & { file: string })[]> {
  const found = files(/^eventing\/contracts\/[a-z-]+\.[a-z-]+\.ts$/)
  return Promise.all(
    found.map(async (file) => {
      const exported = Object.values((await import(join(ROOT, file))) as Record<string, EventContract>)
      const contract = exported.find((value) => typeof value === 'object' && 'schema' in value)
      if (!contract) throw new Error(`${file} exports no contract`)
      return { ...contract, file }
    }),
  )
}

// Tests look into manifests without a model of them.
// oxlint-disable-next-line typescript/no-explicit-any
export type Manifest = any

/** Returns the objects in a YAML file as they are written, each with the file's name. */
export const documents = (file: string): Manifest[] =>
  parseAllDocuments(read(file)).map((document) => ({ ...document.toJS(), file }))

/** Returns the objects in all YAML files, each with its file, after the patches that the local runtime
 * applies. */
export function everything(): Manifest[] {
  const patched = readResources(ROOT).map(({ document, file }) => ({ ...document, file }))
  const seen = new Set(patched.map(({ file }) => file))
  // The rules of Prometheus, and the settings of what watches, are no objects of Kubernetes.
  const others = files(
    /^(knative|eventing|monitoring(?!\/(?:grafana|rules|stores|agents)\/(?!kustomization)))\/.*\.ya?ml$/,
  ).filter((file) => !seen.has(file))
  return [...patched, ...others.flatMap(documents)]
}

/** Returns the objects of a kind. */
export const manifests = (kind: string): Manifest[] => everything().filter((object) => object.kind === kind)
