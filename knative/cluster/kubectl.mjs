import { execFileSync } from 'node:child_process'

/** Runs kubectl on the cluster that skaffold deploys to; by hand that is kubectl's own choice.
 * @param {readonly string[]} args @param {{ input?: string | undefined, stderr?: 'inherit' | 'ignore' }}
 *   [options]
 * @returns {string} what it prints
 * @throws where it fails or is missing */
export function kubectl(args, { input, stderr = 'inherit' } = {}) {
  const context = process.env.SKAFFOLD_KUBE_CONTEXT
  return execFileSync('kubectl', [...(context ? ['--context', context] : []), ...args], {
    input,
    encoding: 'utf8',
    maxBuffer: Infinity,
    stdio: ['pipe', 'pipe', stderr],
  })
}
