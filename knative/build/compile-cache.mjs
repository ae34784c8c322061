// Fills a folder for Node's compile cache (Node 22.1 and newer; NODE_COMPILE_CACHE names the folder) with all
// functions and what they load later, so that the very first cold start needn't compile. In an image:
//
//   RUN node knative/build/compile-cache.mjs dist/functions /bank/compile-cache
//   ENV NODE_COMPILE_CACHE=/bank/compile-cache
//
// Node takes from it only what it wrote itself: the same version, the same user (both are in the names of the
// folders that it makes), the same path and content of a file. So this runs in the image, where the bundles
// are to stay, as the user that they will run as. Then the folder may be read-only.
import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync } from 'node:fs'
import nodeModule from 'node:module'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

/** What functions end with when a setting is wrong (EX_CONFIG in sysexits.h). */
const WRONG_SETTING = 78

/** Loads each bundle of a folder, and of its lib/, in a process of its own that compiles it and doesn't come
 * to listen.
 * @param {string} bundles folder of the functions @param {string} folder of the cache; is made where it is
 *   missing
 * @returns {Promise<number>} how many bundles were compiled; 0 under a Node without a compile cache */
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
  // A function checks its settings first, and with such a port it ends in order: that is when Node writes its
  // cache.
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
