import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chown, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { lastLines } from '../processes/daemon.ts'
import { canEnter, environment, makePlaceForAll, PLACE_FOR_ALL, SUPERUSER } from './postgres-binaries.ts'
import type { PostgresBinaries } from './postgres-binaries.ts'
import { syncFolder, writeDurably } from '../data-folder/own-files.ts'
import { newPassword, passwordFile } from './postgres-password.ts'

/** The two places where the data of a data folder may be. */
export function placesFor(dataDir: string): [inside: string, elsewhere: string] {
  const hash = createHash('sha256').update(dataDir).digest('hex').slice(0, 12)
  return [join(dataDir, 'data'), join(PLACE_FOR_ALL, hash)]
}

/**
 * Returns where the data is or will be: inside the data folder, unless the user that Postgres runs as can't
 * enter it (for example, a clone in /root).
 */
export async function placeOf(
  dataDir: string,
  { user }: PostgresBinaries,
  onProgress: (sentence: string) => void,
): Promise<string> {
  const [inside, elsewhere] = placesFor(dataDir)
  const isThere = (place: string): boolean => existsSync(join(place, 'PG_VERSION'))
  if (isThere(inside)) return inside
  if (existsSync(passwordFile(dataDir)) && isThere(elsewhere)) return elsewhere
  if (!user || canEnter(dataDir, user)) return inside
  onProgress(`keeping the Postgres data in ${elsewhere}, because its user can't enter ${dataDir}`)
  if (existsSync(elsewhere)) {
    // The data belongs to a data folder that was removed, with the password. It is not deleted, because
    // nobody asked for that.
    const aside = `${elsewhere}.old-${Date.now()}`
    await rename(elsewhere, aside)
    onProgress(`moved data of an earlier, removed data folder to ${aside}`)
  }
  return elsewhere
}

/**
 * Creates both the data and the superuser's password, or neither. (`cluster` is Postgres' word for all
 * databases of a server.)
 */
export async function initialise(options: {
  dataDir: string
  cluster: string
  binaries: PostgresBinaries
  sync: boolean
}): Promise<void> {
  const { dataDir, cluster, binaries, sync } = options
  const { user } = binaries
  const parent = dirname(cluster)
  if (parent === PLACE_FOR_ALL) await makePlaceForAll()
  // The data first gets another name: the remains of an interrupted initdb must never be taken for complete
  // data.
  const prefix = `${basename(cluster)}.unfinished-`
  for (const name of await readdir(parent)) {
    if (name.startsWith(prefix)) await rm(join(parent, name), { recursive: true, force: true })
  }
  const unfinished = await mkdtemp(join(parent, prefix))
  const handover = await mkdtemp(join(tmpdir(), 'microbank-initdb-'))
  const password = newPassword()
  try {
    const file = join(handover, 'password')
    await writeFile(file, password, { mode: 0o600 })
    if (user) await Promise.all([unfinished, handover, file].map((path) => chown(path, user.uid, user.gid)))
    await runInitdb(binaries, unfinished, file, sync)
    writeDurably(passwordFile(dataDir), password)
    await rename(unfinished, cluster)
    syncFolder(parent)
  } finally {
    await rm(handover, { recursive: true, force: true })
  }
}

async function runInitdb(
  { initdb, user }: PostgresBinaries,
  folder: string,
  handedOver: string,
  sync: boolean,
): Promise<void> {
  const args = [
    ['--pgdata', folder, '--username', SUPERUSER, '--pwfile', handedOver, '--auth', 'scram-sha-256'],
    ['--encoding', 'UTF8', '--locale', 'C', '--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8'],
    ['--data-checksums', ...(sync ? [] : ['--no-sync'])],
  ].flat()
  try {
    await promisify(execFile)(initdb, args, { cwd: '/', env: environment(), ...user })
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string }
    throw new Error(`initdb failed:\n${lastLines(stderr || message)}`, { cause: error })
  }
}
