import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { takePort } from '../knative/local/processes/ports.ts'
import { callKey, request, signingKey, type Answer } from '../tests/support/host.ts'
import { ROOT } from '../tests/support/repository.ts'
import { until } from '../tests/support/until.ts'

export interface BundleOptions {
  /** Options of Node. */
  options?: string[]
  env: Record<string, string>
}

/** Starts a function of the ledger that only reads, as the bundle that ships and without a database, and ends
 * it with SIGTERM as soon as `work` has ended. Resolves with the outcome of `work`, which may have to wait
 * until the function answers. */
export async function withBundle<Outcome>(
  name: string,
  { options = [], env }: BundleOptions,
  work: (ask: (path: string) => Promise<Answer>) => Promise<Outcome>,
): Promise<Outcome> {
  const port = await takePort()
  const child = spawn(process.execPath, [...options, join(ROOT, `dist/functions/${name}.cjs`)], {
    env: {
      PORT: String(port),
      LOG_LEVEL: 'off',
      JWKS: signingKey.jwks,
      CALL_KEYS: callKey.publicJwks,
      LEDGER_DATABASE_URL: 'postgres://x:y@127.0.0.1:9/x',
      LEDGER_EVENT_KEY: 'a key that is only good for tests, no more',
      FRONT_DOOR_KEY: 'another key that is only good for tests',
      ...env,
    },
    stdio: 'inherit',
  })
  try {
    const outcome = await work((path) => request('GET', `http://127.0.0.1:${port}${path}`))
    child.kill('SIGTERM')
    await until(() => child.exitCode !== null, { what: 'the process to end' })
    expect(child.exitCode).toBe(0)
    return outcome
  } finally {
    child.kill('SIGKILL')
  }
}
