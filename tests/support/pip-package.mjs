// Programs in Python that the tests start, which pip fetches into a folder of their own.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'

const FOLDER = process.getuid?.() === 0 ? '/var/lib/microbank' : join(process.cwd(), 'node_modules/.cache')

/**
 * Describes a package in one version.
 * @param {{ name: string, version: string, extras?: string, module: string }} wanted `module` is what is run
 */
export function pipPackage({ name, version, extras = '', module }) {
  /** The folder of the package and of all that it needs. */
  const folder = join(FOLDER, `${name}-${version}`)
  return {
    folder,
    /** Says whether it is installed, and this Python runs it. */
    isInstalled: () =>
      existsSync(folder) &&
      spawnSync('python3', ['-c', `import ${module}`], { env: { ...process.env, PYTHONPATH: folder } })
        .status === 0,
    /** Fetches it with pip. Throws if that fails. */
    install() {
      // It is put under another name first, so that a half-filled folder is never used.
      const unfinished = `${folder}.${process.pid}`
      mkdirSync(dirname(folder), { recursive: true })
      try {
        const options = ['--quiet', '--disable-pip-version-check', '--target', unfinished]
        execFileSync('python3', ['-m', 'pip', 'install', ...options, `${name}${extras}==${version}`], {
          stdio: ['ignore', 'ignore', 'pipe'],
        })
        rmSync(folder, { recursive: true, force: true })
        renameSync(unfinished, folder)
      } finally {
        rmSync(unfinished, { recursive: true, force: true })
      }
    },
  }
}

/** A server that speaks S3. The tests of the documents' store use it, because it is not ours. */
export const moto = pipPackage({
  ...{ name: 'moto', version: '5.2.5', extras: '[s3,server]' },
  module: 'moto.server',
})

/** Makes requests from an OpenAPI document, and holds the answers against it. */
export const schemathesis = pipPackage({
  ...{ name: 'schemathesis', version: '4.32.5' },
  module: 'schemathesis.cli',
})
