// moto's server, which speaks S3. The tests of the documents' store use it, because it is not ours.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'

const VERSION = '5.2.5'
const FOLDER = process.getuid?.() === 0 ? '/var/lib/microbank' : join(process.cwd(), 'node_modules/.cache')
/** The folder of the Python package and of all that it needs. */
export const motoFolder = join(FOLDER, `moto-${VERSION}`)

/** Says whether the server is installed, and this Python runs it. */
export const hasMoto = () =>
  existsSync(motoFolder) &&
  spawnSync('python3', ['-c', 'import moto.server'], { env: { ...process.env, PYTHONPATH: motoFolder } })
    .status === 0

/** Fetches the server with pip. Throws if that fails. */
export function installMoto() {
  // It is put under another name first, so that a half-filled folder is never used.
  const unfinished = `${motoFolder}.${process.pid}`
  mkdirSync(dirname(motoFolder), { recursive: true })
  try {
    const options = ['--quiet', '--disable-pip-version-check', '--target', unfinished]
    execFileSync('python3', ['-m', 'pip', 'install', ...options, `moto[s3,server]==${VERSION}`], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    rmSync(motoFolder, { recursive: true, force: true })
    renameSync(unfinished, motoFolder)
  } finally {
    rmSync(unfinished, { recursive: true, force: true })
  }
}
