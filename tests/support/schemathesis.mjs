// Schemathesis, which makes requests from an OpenAPI document and holds the answers against it.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'

const VERSION = '4.32.5'
const FOLDER = process.getuid?.() === 0 ? '/var/lib/microbank' : join(process.cwd(), 'node_modules/.cache')
/** The folder of the Python package and of all that it needs. */
export const schemathesisFolder = join(FOLDER, `schemathesis-${VERSION}`)

/** Says whether it is installed, and this Python runs it. */
export const hasSchemathesis = () =>
  existsSync(schemathesisFolder) &&
  spawnSync('python3', ['-c', 'import schemathesis.cli'], {
    env: { ...process.env, PYTHONPATH: schemathesisFolder },
  }).status === 0

/** Fetches it with pip. Throws if that fails. */
export function installSchemathesis() {
  // It is put under another name first, so that a half-filled folder is never used.
  const unfinished = `${schemathesisFolder}.${process.pid}`
  mkdirSync(dirname(schemathesisFolder), { recursive: true })
  try {
    const options = ['--quiet', '--disable-pip-version-check', '--target', unfinished]
    execFileSync('python3', ['-m', 'pip', 'install', ...options, `schemathesis==${VERSION}`], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    rmSync(schemathesisFolder, { recursive: true, force: true })
    renameSync(unfinished, schemathesisFolder)
  } finally {
    rmSync(unfinished, { recursive: true, force: true })
  }
}
