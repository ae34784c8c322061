import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { lastLines } from '../processes/daemon.ts'
import { readText, writeDurably } from '../data-folder/own-files.ts'
import { environment, SUPERUSER, type PostgresBinaries } from './postgres-binaries.ts'

export const passwordFile = (dataDir: string): string => join(dataDir, 'superuser-password')

export const newPassword = (): string => randomBytes(24).toString('base64url')

/**
 * Returns the superuser's password, which was made with the data. If its file is damaged or missing, gives
 * the superuser a new password while the server is down: this needs only write access to the data.
 * @returns the password
 * @throws an error with Postgres's last lines if that fails
 */
export async function keepPassword(options: {
  dataDir: string
  cluster: string
  binaries: PostgresBinaries
  onProgress: (sentence: string) => void
}): Promise<string> {
  const { dataDir, onProgress } = options
  const file = passwordFile(dataDir)
  const kept = readText(file)
  if (kept !== undefined && /^[\w-]{32}$/.test(kept)) return kept
  onProgress(`${file} is damaged: Postgres gets a new password`)
  const password = newPassword()
  await setPassword(options, password)
  writeDurably(file, password)
  return password
}

/**
 * Sets the password without a server: `postgres --single` runs the statements that it reads, as the
 * superuser.
 */
async function setPassword(
  { cluster, binaries }: { cluster: string; binaries: PostgresBinaries },
  password: string,
): Promise<void> {
  const child = spawn(binaries.postgres, ['--single', '-D', cluster, 'postgres'], {
    cwd: '/',
    env: environment(),
    stdio: ['pipe', 'ignore', 'pipe'],
    ...binaries.user,
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  child.stdin.on('error', () => {})
  child.stdin.end(`alter role ${SUPERUSER} password '${password}'\n`)
  const code = await new Promise((resolve, reject) => {
    child.once('close', resolve)
    child.once('error', reject)
  })
  // It continues after a failed statement, so the exit code alone proves nothing.
  if (code !== 0 || said.includes('ERROR'))
    throw new Error(`Postgres could not be given a new password:\n${lastLines(said)}`)
}
