// Fills a folder for Node's compile cache with all functions and what they load later, so that even the first
// cold start compiles nothing. Needs Node 22.1 or newer; NODE_COMPILE_CACHE names the folder. In an image:
//
//   RUN node knative/build/compile-cache.mjs dist/functions /bank/compile-cache
//   ENV NODE_COMPILE_CACHE=/bank/compile-cache
//
// Node uses only entries that it wrote itself, for the same version and user (both are in the names of the
// folders that it makes), and the same path and content of a file. So this runs inside the image, with
// the bundles in their final place, as the user that runs them. Afterwards the folder may be read-only.
import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync } from 'node:fs'
import nodeModule from 'node:module'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

/** The exit status of a function if a setting is wrong (EX_CONFIG in sysexits.h). */
const WRONG_SETTING = 78

/**
 * Fills the cache: loads each bundle of a folder and of its lib/ in a process of its own, which compiles the
 * bundle and ends before it listens.
 * @param {string} bundles folder of the functions
 * @param {string} folder of the cache; made if it is missing
 * @returns {Promise<number>} how many bundles were compiled; 0 if this Node has no compile cache
 */
export async function fillCompileCache(bundles, folder) {
  if (!('enableCompileCache' in nodeModule)) return 0
  mkdirSync(folder, { recursive: true })
  const files = ['', 'lib'].flatMap((part) =>
    readdirSync(join(bundles, part))
      .filter((name) => name.endsWith('.cjs'))
      .map((name) => resolve(bundles, part, name)),
  )
  const waiting = [...files]
  const work = async () => {
    for (let file = waiting.pop(); file; file = waiting.pop()) await load(file, resolve(folder))
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work))
  return files.length
}

/** @param {string} file @param {string} cache @returns {Promise<void>} */
function load(file, cache) {
  // A function checks its settings first and exits in order because this port is invalid. Node writes its
  // cache at such an exit.
  const env = { PATH: process.env.PATH, NODE_ENV: 'production', PORT: 'none', NODE_COMPILE_CACHE: cache }
  const child = spawn(process.execPath, [file], { env, stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text) => (said += text))
  return new Promise((done, failed) => {
    child.once('error', failed)
    child.once('close', (code) => {
      if (code === 0 || code === WRONG_SETTING) done()
      else failed(new Error(`${file} could not be loaded: ${said}`))
    })
  })
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [bundles = 'dist/functions', folder = 'dist/compile-cache'] = process.argv.slice(2)
  void fillCompileCache(bundles, folder).then((count) => {
    if (count > 0) console.log(`compiled ${count} bundles into ${folder}`)
    else console.log(`Node ${process.versions.node} has no compile cache, so there is nothing to fill`)
  })
}
