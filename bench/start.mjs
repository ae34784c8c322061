// npm run bench: builds the bundles that ship and the bench (which is TypeScript, and Node 20 can't run
// that), and starts the bench on Node 24.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as esbuild from 'esbuild'
import build from '../knative/build/build.mjs'
import { bundleOptions } from '../knative/build/bundle-options.mjs'

const root = join(fileURLToPath(import.meta.url), '../..')
const folder = join(root, '.microbank/bench')

process.chdir(root)
mkdirSync(folder, { recursive: true })
await build({ log: (line) => console.log(line) })
await bundle()
// The help needs no other Node.
if (process.argv.includes('--help')) {
  const { status } = spawnSync(process.execPath, [join(folder, 'main.cjs'), '--help'], { stdio: 'inherit' })
  process.exit(status ?? 1)
}
const node = findNode24()
// Fills the compile cache, as in the image and as the local runtime does over time.
run(node, join(root, 'knative/build/compile-cache.mjs'), 'dist/functions', join(folder, 'compile-cache'))
// A --node of the command line comes later, so it counts.
const args = [join(folder, 'main.cjs'), '--node', process.execPath, ...process.argv.slice(2)]
const child = spawn(node, args, { stdio: 'inherit' })
// Ctrl-C in the terminal also reaches the child, which stops its servers. This process waits for the child.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => child.kill('SIGTERM'))
child.once('exit', (code) => process.exit(code ?? 1))

/** @param {string} command @param {string[]} args */
function run(command, ...args) {
  const { status } = spawnSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  if (status !== 0) throw new Error(`'${command} ${args.join(' ')}' failed`)
}

/** Bundles the bench, each program that it runs, and the function that does nothing, with its validators. */
async function bundle() {
  const programs = join(root, 'bench/programs')
  /** @type {esbuild.BuildOptions} */
  const common = { ...bundleOptions, absWorkingDir: root }
  const files = readdirSync(programs).filter((file) => file.endsWith('.ts') && file !== 'nothing.ts')
  await esbuild.build({
    ...common,
    outdir: folder,
    entryPoints: ['bench/main.ts', ...files.map((file) => join(programs, file))].map((file) => ({
      in: file,
      out: basename(file, '.ts'),
    })),
    packages: 'external',
  })
  await bundleNothing(common)
}

/** Bundles the function that does nothing as the build bundles an operation: packages inside, schemas
 * compiled to code.
 * @param {esbuild.BuildOptions} common */
async function bundleNothing(common) {
  const stdin = (/** @type {string} */ contents) => ({
    contents,
    resolveDir: root,
    loader: /** @type {const} */ ('ts'),
  })
  const outfile = join(folder, 'nothing-declaration.cjs')
  await esbuild.build({
    ...common,
    stdin: stdin(`
      import operation from './bench/programs/nothing.ts'
      import { validatorsSource } from './functions/host/http/compile-validators.ts'
      export const source = validatorsSource(operation)`),
    packages: 'external',
    outfile,
  })
  const { source } = createRequire(import.meta.url)(outfile)
  await esbuild.build({
    ...common,
    stdin: stdin(`
      import operation from './bench/programs/nothing.ts'
      import { validators } from 'validators:nothing'
      import { settings } from './functions/host/settings/web.ts'
      import { main } from './functions/host/start/main.ts'
      main(operation, { validators, catalogue: [], settings })`),
    plugins: [
      {
        name: 'validators',
        setup(builder) {
          builder.onResolve({ filter: /^validators:/ }, ({ path }) => ({ path, namespace: 'validators' }))
          builder.onLoad({ filter: /.*/, namespace: 'validators' }, () => ({
            contents: source,
            resolveDir: root,
          }))
        },
      },
    ],
    minifySyntax: true,
    minifyWhitespace: true,
    outfile: join(folder, 'nothing.cjs'),
  })
}

/** Returns a Node of the version that the image has: this one, or one from npm. It is fetched when the bench
 * first needs it, so that `npm ci` doesn't have to. The package is the one for this platform, which runs no
 * install script. */
function findNode24() {
  if (Number(process.versions.node.split('.')[0]) === 24) return process.execPath
  const prefix = process.platform === 'darwin' && process.arch === 'arm64' ? 'node-bin' : 'node'
  const name = `${prefix}-${process.platform}-${process.arch}`
  const binary = join(folder, 'node24/node_modules', name, 'bin/node')
  if (!existsSync(binary)) {
    console.log(`this is Node ${process.version}; fetching Node 24 (${name} from npm) into .microbank/bench`)
    mkdirSync(join(folder, 'node24'), { recursive: true })
    const args = [
      'install',
      '--prefix',
      join(folder, 'node24'),
      '--no-save',
      '--no-audit',
      '--no-fund',
      '--ignore-scripts',
    ]
    const { status } = spawnSync('npm', [...args, `${name}@24`], { stdio: ['ignore', 'ignore', 'inherit'] })
    if (status !== 0) throw new Error(`npm could not install ${name}@24; run the bench with Node 24 instead`)
  }
  return binary
}
