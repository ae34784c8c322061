// Bundles every operation to dist/functions/<name>.cjs, and the local runtime and its tools to dist/local/.
// There is no list of operations: the build finds them by their files.
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import * as esbuild from 'esbuild'
import { bundleOptions } from './bundle-options.mjs'
import { bundlesOf, complaints, contentTable, sizeTable } from './bundles.mjs'
import { writeDocs } from './docs.mjs'
import { EXTERNAL, readDeclarations, writeContract } from './declarations.mjs'
import { findOperations } from './operations.mjs'
import { lazyBuiltins } from './slim/lazy-builtins.mjs'
import { leaveOutLazy, standIns } from './slim/plugin.mjs'
import { buildWeb } from './web.mjs'

const root = join(fileURLToPath(import.meta.url), '../../..')
const dist = join(root, 'dist')

/** @type {esbuild.BuildOptions} */
const common = { ...bundleOptions, absWorkingDir: root, metafile: true }

/**
 * Globals by which a package asks whether it runs elsewhere than in Node. They are answered here: when pg
 * touches `Response`, Node 20 loads its whole client of fetch, with HTTP/2 and TLS, for 25 ms and 6 MB.
 */
const ONLY_NODE = { navigator: 'undefined', Response: 'undefined' }

/**
 * An esbuild plugin that provides virtual modules: the entry of each bundle, and the code that the build
 * generates.
 * @param {{ name: string, path: string }[]} operations
 * @param {any} declarations
 * @returns {esbuild.Plugin}
 */
function operationEntries(operations, declarations) {
  const catalogue = declarations.catalogueOf(declarations.operations)
  return {
    name: 'operation-entries',
    setup(build) {
      build.onResolve({ filter: /^(operation|validators):/ }, ({ path }) => ({
        path,
        namespace: 'operation',
      }))
      build.onLoad({ filter: /.*/, namespace: 'operation' }, async ({ path }) => {
        const [kind, name] = path.split(':')
        const i = operations.findIndex((operation) => operation.name === name)
        const declaration = declarations.operations[i]
        if (kind === 'validators') {
          // Nobody reads this code, so its names may be short. Those of the functions stay, for stack traces.
          const { code } = await esbuild.transform(declarations.validatorsSource(declaration), {
            minify: true,
          })
          return { contents: code, resolveDir: root, loader: 'js' }
        }
        const needsAll = declaration.mount || declaration.readsCatalogue
        const routes = needsAll ? JSON.stringify(catalogue) : '[]'
        const events = './functions/host/http/events.ts'
        return {
          contents: `
            import operation from ${JSON.stringify(operations[i]?.path)}
            import { validators } from 'validators:${name}'
            import { settings } from './functions/host/settings/${declaration.context}.ts'
            import { main } from './functions/host/start/main.ts'
            ${declaration.consumes ? `import { receiveEvent } from ${JSON.stringify(events)}` : ''}
            main(operation, {
              validators, catalogue: ${routes}, settings${declaration.consumes ? ', receiveEvent' : ''}
            })`,
          resolveDir: root,
          loader: 'ts',
        }
      })
    },
  }
}

/**
 * An esbuild plugin that leaves the lab and the demo customer out of the runtime, which loads them when
 * somebody asks for them.
 * @type {esbuild.Plugin}
 */
const loadedOnDemand = {
  name: 'loaded-on-demand',
  setup(build) {
    build.onResolve({ filter: /^\.\/(lab|demo-customer)\.ts$/ }, ({ kind, path }) =>
      kind === 'dynamic-import' ? { path: path.replace('.ts', '.cjs'), external: true } : undefined,
    )
  },
}

/**
 * Builds everything into `dist`. Resolves with the bundles and their contents.
 *
 * The build writes to a folder inside `dist` and then moves each file into place, so a bank that is running
 * never starts half a function.
 */
export default async function build({ log = /** @type {(line: string) => void} */ (() => {}) } = {}) {
  const startedAt = Date.now()
  mkdirSync(dist, { recursive: true })
  const staging = mkdtempSync(join(dist, '.build-'))
  try {
    const bundles = await buildInto(staging)
    moveInto(dist, staging)
    const functions = bundles.filter(({ name }) => /^functions\/[^/]+$/.test(name))
    log(`built ${functions.length} functions in ${Date.now() - startedAt} ms`)
    return bundles
  } finally {
    rmSync(staging, { recursive: true, force: true })
    // Without this, esbuild's helper process would run as long as this process, which becomes the bank.
    await esbuild.stop()
  }
}

/**
 * Builds everything into a folder inside the repository. Resolves with the bundles and their contents.
 * @param {string} folder
 * @returns {Promise<import('./bundles.mjs').Bundle[]>}
 */
export async function buildInto(folder) {
  const operations = findOperations(root)
  const declarations = await readDeclarations(root, operations, folder)
  for (const [i, { name, path }] of operations.entries()) {
    const declared = declarations.operations[i].name
    if (declared !== name) throw new Error(`${path} declares the operation '${declared}'`)
  }
  const pages = writeDocs(root, join(folder, 'web/docs'))
  const results = await Promise.all([
    buildFunctions(operations, declarations, join(folder, 'functions')),
    esbuild.build({
      ...common,
      entryPoints: [
        { in: 'knative/local/main.ts', out: 'local/runtime' },
        { in: 'knative/local/ps.ts', out: 'local/ps' },
        { in: 'knative/local/mail.ts', out: 'local/mail' },
        { in: 'knative/local/logs.ts', out: 'local/logs' },
        { in: 'knative/local/lab/lab.ts', out: 'local/lab' },
        { in: 'knative/local/demo/demo-customer.ts', out: 'local/demo-customer' },
      ],
      outdir: folder,
      packages: 'external',
      plugins: [loadedOnDemand],
    }),
    esbuild.build({
      ...common,
      entryPoints: [
        { in: 'knative/postgres/migrate-main.ts', out: 'migrate' },
        { in: 'knative/cluster/smoke-main.ts', out: 'smoke' },
        { in: 'knative/meter/main.ts', out: 'meter' },
      ],
      outdir: folder,
      external: EXTERNAL,
      define: ONLY_NODE,
    }),
  ])
  copySql(folder)
  await pages
  writeContract(root, declarations, join(folder, 'web'))
  const catalogue = declarations.catalogueOf(declarations.operations)
  writeFileSync(join(folder, 'catalogue.json'), `${JSON.stringify(catalogue)}\n`)
  const refusals = declarations.refusalsOf(declarations.operations)
  writeFileSync(join(folder, 'refusals.json'), `${JSON.stringify(refusals)}\n`)
  cpSync(join(root, 'knative/image/function.cjs'), join(folder, 'function.cjs'))
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify({ type: 'commonjs', version })}\n`)
  const metafiles = results.flat().map(({ metafile }) => /** @type {esbuild.Metafile} */ (metafile))
  return metafiles.flatMap((metafile) => bundlesOf(metafile, root, folder))
}

/**
 * Builds the functions and, in lib/, the packages that they load when they first need them. Resolves with
 * esbuild's results for both.
 * @param {{ name: string, path: string }[]} operations
 * @param {any} declarations
 * @param {string} outdir
 */
async function buildFunctions(operations, declarations, outdir) {
  /** @type {Map<string, string>} */
  const lazy = new Map()
  /** @type {esbuild.BuildOptions} */
  const options = {
    ...common,
    external: EXTERNAL,
    minifySyntax: true,
    minifyWhitespace: true,
    // A dynamic import becomes a require(): Node's own import() would first start the loader of ES modules.
    supported: { 'dynamic-import': false },
  }
  const functions = await esbuild.build({
    ...options,
    entryPoints: operations.map(({ name }) => ({ in: `operation:${name}`, out: name })),
    outdir,
    plugins: [operationEntries(operations, declarations), leaveOutLazy(lazy), lazyBuiltins()],
  })
  const packages = await esbuild.build({
    ...options,
    entryPoints: [...lazy].map(([out, path]) => ({ in: path, out })),
    // From ES modules, esbuild takes only what is used: a tenth of OpenTelemetry.
    mainFields: ['module', 'main'],
    define: ONLY_NODE,
    // The fonts of PDFs are in the bundle that writes them.
    loader: { '.ttf': 'binary' },
    // As an ES module it asks for its own URL when it is loaded, which a bundle does not have.
    alias: { pdfkit: createRequire(import.meta.url).resolve('pdfkit') },
    outdir: join(outdir, 'lib'),
    plugins: [standIns()],
  })
  return [functions, packages]
}

/**
 * Copies the SQL files beside the bundles. The folders stay as they are, because migrations are applied in
 * their order.
 */
function copySql(/** @type {string} */ folder) {
  const isSql = (/** @type {string} */ path) => !/\.[a-z]+$/.test(path) || path.endsWith('.sql')
  for (const source of ['eventing', 'functions'])
    cpSync(join(root, source), join(folder, 'sql', source), { recursive: true, filter: isSql })
}

/**
 * Replaces the content of `target` by that of `source`. Each file is replaced in one step; files that are no
 * longer built are removed.
 */
function moveInto(/** @type {string} */ target, /** @type {string} */ source) {
  mkdirSync(target, { recursive: true })
  const built = readdirSync(source, { withFileTypes: true })
  for (const entry of built) {
    const [from, to] = [join(source, entry.name), join(target, entry.name)]
    if (entry.isDirectory()) moveInto(to, from)
    else renameSync(from, to)
  }
  for (const name of readdirSync(target)) {
    const isBuilt = built.some((entry) => entry.name === name)
    // web.mjs builds the pages.
    const isOthers = name.startsWith('.build-') || join(target, name) === join(dist, 'web/ui')
    if (!isBuilt && !isOthers) rmSync(join(target, name), { recursive: true, force: true })
  }
}

/**
 * `npm run build` shows the size of each bundle. `npm run build -- accounts` shows what one bundle contains.
 */
async function main(/** @type {string[]} */ names) {
  const [bundles] = await Promise.all([build({ log: (line) => console.log(line) }), buildWeb()])
  if (names.length === 0) return console.log(['', sizeTable(bundles), '', ...complaints(bundles)].join('\n'))
  for (const name of names) {
    const bundle = bundles.find((one) => one.name === name || one.name.endsWith(`/${name}`))
    if (!bundle) throw new Error(`there is no bundle ${name}`)
    console.log(`\n${contentTable(bundle)}`)
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href)
  void main(process.argv.slice(2))
