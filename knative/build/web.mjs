// Builds the pages of the bank into dist/web/ui, if anything that they are made of has changed.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'

const root = join(fileURLToPath(import.meta.url), '../../..')
const source = join(root, 'functions/web/ui')
/** build.mjs leaves this folder alone. */
const target = join(root, 'dist/web/ui')
/** The hash of what the folder was made of, and then the names of its files. It is written last. */
const HASH = 'made-of'

/** Resolves with the paths of all files in a folder. */
const filesIn = async (/** @type {string} */ folder) =>
  (await readdir(folder, { withFileTypes: true, recursive: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))

/** Resolves with a hash over everything that the pages are made of. */
async function hashOfSources() {
  const files = [
    ...(await filesIn(source)),
    ...(await filesIn(join(root, 'functions/web/client'))),
    ...(await filesIn(join(root, 'functions/host/values'))),
    join(root, 'package-lock.json'),
    fileURLToPath(import.meta.url),
  ].filter((file) => !/\.test\.ts$|\.md$/.test(file))
  const hash = createHash('sha256')
  for (const file of files.sort()) hash.update(`${relative(root, file)}\0`).update(await readFile(file))
  return hash.digest('hex')
}

/** Resolves with whether the pages that are there are those of the sources. */
async function isFresh() {
  const file = join(target, HASH)
  if (!existsSync(file)) return false
  const [hash, ...names] = readFileSync(file, 'utf8').split('\n')
  // Another build at the same time, of other sources, may have removed what it didn't know.
  return hash === (await hashOfSources()) && names.every((name) => existsSync(join(target, name)))
}

/**
 * Builds the pages in a process of its own, if they have changed: the bundler's memory is not the bank's.
 * Rejects with what it said if it fails.
 * @returns {Promise<void>}
 */
export async function buildWeb() {
  if (await isFresh()) return
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url)], {
    cwd: root,
    // Tests have another value, by which React would come with what only developers need.
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.on('data', (chunk) => (said += chunk))
  const code = await new Promise((resolve, reject) => child.on('close', resolve).on('error', reject))
  if (code !== 0) throw new Error(`The pages could not be built.\n${said}`)
}

async function build() {
  const hash = await hashOfSources()
  const { build } = await import('vite')
  mkdirSync(join(root, 'dist'), { recursive: true })
  const staging = mkdtempSync(join(root, 'dist/.build-ui-'))
  const clean = () => rmSync(staging, { recursive: true, force: true })
  // Ctrl-C reaches this process, too.
  process.once('SIGINT', () => (clean(), process.exit(130)))
  try {
    await build({
      root: source,
      configFile: join(source, 'vite.config.js'),
      logLevel: 'error',
      build: { outDir: staging, emptyOutDir: true },
    })
    const files = await filesIn(staging)
    await Promise.all(files.map(compress))
    await replace(staging, hash)
  } finally {
    clean()
  }
}

/** Writes a file's content beside it, compressed in two ways. Browsers take brotli only over TLS, and from
 * this machine. */
async function compress(/** @type {string} */ file) {
  const bytes = await readFile(file)
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length }
  await writeFile(`${file}.br`, await promisify(brotliCompress)(bytes, { params }))
  await writeFile(`${file}.gz`, await promisify(gzip)(bytes, { level: 9 }))
}

/** Moves the built files into place. The page comes after what it names, and what nobody names goes last. */
async function replace(/** @type {string} */ staging, /** @type {string} */ hash) {
  const isPage = (/** @type {string} */ name) => /^index\.html/.test(name)
  const built = (await filesIn(staging)).map((file) => relative(staging, file))
  // Until all is moved, the folder is of neither.
  rmSync(join(target, HASH), { force: true })
  for (const name of built.sort((a, b) => Number(isPage(a)) - Number(isPage(b)))) {
    mkdirSync(dirname(join(target, name)), { recursive: true })
    renameSync(join(staging, name), join(target, name))
  }
  for (const file of await filesIn(target))
    if (!built.includes(relative(target, file))) rmSync(file, { force: true })
  writeFileSync(join(target, HASH), [hash, ...built].join('\n'))
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) void build()
