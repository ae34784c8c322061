import { execFileSync } from 'node:child_process'

/**
 * Runs kubectl on the cluster that skaffold deploys to or, if skaffold doesn't run this, on kubectl's current
 * one.
 * @param {readonly string[]} args
 * @param {{ input?: string | undefined, stderr?: 'inherit' | 'ignore' }} [options]
 * @returns {string} what kubectl prints
 * @throws if kubectl fails or is missing
 */
export function kubectl(args, { input, stderr = 'inherit' } = {}) {
  const context = process.env.SKAFFOLD_KUBE_CONTEXT
  return execFileSync('kubectl', [...(context ? ['--context', context] : []), ...args], {
    input,
    encoding: 'utf8',
    maxBuffer: Infinity,
    stdio: ['pipe', 'pipe', stderr],
  })
}
