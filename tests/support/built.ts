import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ROOT } from './repository.ts'
import { until } from './until.ts'

/** Builds everything into `dist` as `npm run build` does, once in a run of jest: the first caller builds, and
 * the others wait for it. Throws what the build said if it failed. */
export async function buildOnce(): Promise<void> {
  const folder = process.env.TEST_RUN_FOLDER
  if (!folder) throw new Error('expected TEST_RUN_FOLDER from tests/support/global-setup.ts')
  const outcome = join(folder, 'build-outcome')
  if (isFirst(folder)) {
    writeFileSync(`${outcome}.new`, await build())
    renameSync(`${outcome}.new`, outcome)
  }
  await until(() => existsSync(outcome), { timeoutMs: 240_000, what: 'the build' })
  const failure = readFileSync(outcome, 'utf8')
  if (failure) throw new Error(failure)
}

/** Only one of several processes can make a folder. */
function isFirst(folder: string): boolean {
  try {
    mkdirSync(join(folder, 'build-begun'))
    return true
  } catch {
    return false
  }
}

/** Resolves with the reason why the build failed, or with an empty text. */
async function build(): Promise<string> {
  try {
    await promisify(execFile)(process.execPath, [join(ROOT, 'knative/build/build.mjs')], { cwd: ROOT })
    return ''
  } catch (error) {
    return (error as Error).message
  }
}
