// `npm start`: builds the bundles, then runs the bank in this process.
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(fileURLToPath(import.meta.url), '../../..')
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)

if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`microbank needs Node 20.19 or newer; this is ${process.version}.`)
  process.exit(1)
}
if (!existsSync(join(root, 'node_modules', 'esbuild'))) {
  console.error('The packages are not installed yet: npm ci')
  process.exit(1)
}

process.chdir(root)
await checkArguments()
const { default: build } = await import('../build/build.mjs')
const { buildWeb } = await import('../build/web.mjs')
// The bank starts meanwhile, and runs without its pages if they can't be built.
buildWeb().catch((error) => console.error(error.message))
await build({ log: (line) => console.log(line) })
createRequire(import.meta.url)(join(root, 'dist', 'local', 'runtime.cjs'))

/** Prints the help, or what is wrong with the options, before anything is built. */
async function checkArguments() {
  const { transform } = await import('esbuild')
  const { code } = await transform(readFileSync('knative/local/options.ts', 'utf8'), { loader: 'ts' })
  const { readArguments, USAGE } = await import(`data:text/javascript,${encodeURIComponent(code)}`)
  try {
    if (readArguments(process.argv.slice(2))) return
    console.log(USAGE)
    process.exit(0)
  } catch (error) {
    console.error(/** @type {Error} */ (error).message)
    process.exit(1)
  }
}
