import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ROOT } from './repository.ts'

const run = promisify(execFile)

/** How a strict project may be set up that knows nothing of this repository. */
const PROJECTS = [
  {
    ...{ compiler: 'typescript', module: 'node16', target: 'es2023', lib: ['es2023'] },
    ...{ types: ['node'], typeRoots: [join(ROOT, 'node_modules/@types')] },
  },
  {
    ...{ compiler: 'typescript-native', module: 'esnext', moduleResolution: 'bundler' },
    ...{ target: 'es2022', lib: ['es2022', 'dom'], types: [], exactOptionalPropertyTypes: true },
  },
]

/** A folder in which programs can import '@microbank/client', as npm would install it. */
export interface ClientFolder {
  /** What the package holds. */
  packed: string[]
  /** Checks the types of a program, as strict projects of its own do: by the rules of Node and of bundlers,
   * with the types of Node and of browsers, by two compilers. Rejects with what is wrong. */
  check(text: string): Promise<void>
  /** Runs a program until it ends, with `url` in place of http://localhost:8080. Resolves with its output. */
  run(text: string, url: string): Promise<string>
  remove(): void
}

/** Packs the client and unpacks it into a new folder. */
export async function packClient(): Promise<ClientFolder> {
  const folder = mkdtempSync(join(tmpdir(), 'microbank-client-'))
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: join(ROOT, 'functions/web/client'),
  })
  const [{ filename, files }] = JSON.parse(stdout.slice(stdout.indexOf('['))) as [
    { filename: string; files: { path: string }[] },
  ]
  const target = join(folder, 'node_modules/@microbank/client')
  mkdirSync(target, { recursive: true })
  await run('tar', ['-xzf', join(folder, filename), '-C', target, '--strip-components=1'])
  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  return {
    packed: files.map(({ path }) => path),
    async check(text) {
      write('program.mts', text)
      for (const { compiler, ...options } of PROJECTS) {
        const compilerOptions = { ...options, noEmit: true, strict: true }
        write('tsconfig.json', JSON.stringify({ compilerOptions, files: ['program.mts'] }))
        const tsc = join(ROOT, `node_modules/${compiler}/bin/tsc`)
        await run(process.execPath, [tsc], { cwd: folder }).catch((failed: { stdout: string }) => {
          throw new Error(`${compiler}, ${options.module}: ${failed.stdout}`)
        })
      }
    },
    async run(text, url) {
      const redirect = `const { fetch } = globalThis
        globalThis.fetch = (address, given) => fetch(String(address).replace('http://localhost:8080', '${url}'), given)`
      const program = write('program.mjs', text)
      const args = ['--import', write('redirect.mjs', redirect), program]
      return (await run(process.execPath, args, { cwd: folder, timeout: 240_000 })).stdout
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
