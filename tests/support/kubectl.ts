import { spawnSync } from 'node:child_process'
import { parseAllDocuments } from 'yaml'
import type { Manifest } from './repository.ts'

const isInstalled = spawnSync('kubectl', ['version', '--client'], { stdio: 'ignore' }).status === 0

/** End of a test's name, which says whether kubectl was compared. */
export const AS_KUSTOMIZE = isInstalled
  ? ', and kubectl says the same'
  : ' (kubectl is not installed and is not compared)'

/** Returns what `kubectl kustomize` makes of a folder: its objects, or the error as text; undefined without
 * kubectl. */
export function kustomize(folder: string): Manifest[] | string | undefined {
  if (!isInstalled) return undefined
  const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', folder], { encoding: 'utf8' })
  return status === 0 ? parseAllDocuments(stdout).flatMap((document) => document.toJS() ?? []) : stderr
}
