import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { NAMESPACE } from '../manifests/manifests.ts'

const NAME = 'microbank'

/**
 * Writes the file by which kubectl and kn find the API. It is JSON, which they read as well as YAML. The file
 * stays when the bank stops: without it, the clients would ask localhost:8080, which is the bank's front
 * door. Returns the file's path.
 */
export function writeKubeconfig(dataDir: string, port: number): string {
  const file = join(dataDir, 'kubeconfig')
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: NAME, cluster: { server: `http://127.0.0.1:${port}` } }],
    users: [{ name: NAME, user: {} }],
    contexts: [{ name: NAME, context: { cluster: NAME, user: NAME, namespace: NAMESPACE } }],
    'current-context': NAME,
  }
  writeFileSync(`${file}.new`, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 })
  renameSync(`${file}.new`, file)
  return file
}
