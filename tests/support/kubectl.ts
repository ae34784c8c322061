import { spawnSync } from 'node:child_process'
import { parseAllDocuments } from 'yaml'
import type { Manifest } from './repository.ts'

const isInstalled = spawnSync('kubectl', ['version', '--client'], { stdio: 'ignore' }).status === 0

/** For a test's name: says so where the test has nothing to hold the local runtime against. */
export const AS_KUSTOMIZE = isInstalled
  ? ', and kubectl says the same'
  : ' (kubectl is not installed: nobody else is asked)'

/** What `kubectl kustomize` makes of a folder: its objects, or the error as text; undefined without
 * kubectl. */
export function kustomize(folder: string): Manifest[] | string | undefined {
  if (!isInstalled) return undefined
  const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', folder], { encoding: 'utf8' })
  return status === 0 ? parseAllDocuments(stdout).flatMap((document) => document.toJS() ?? []) : stderr
}
