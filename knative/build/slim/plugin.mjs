import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = join(fileURLToPath(import.meta.url), '..')

/** Large packages of which a function uses next to nothing, and what stands for them: every cold start parses
 * the whole bundle. */
const STAND_INS = ['iconv-lite', 'mime-db']

/** Keeps bundles small: stand-ins for large tables, and a file of its own, loaded when it is first needed,
 * for every package and every file of ours that the code imports dynamically.
 * @param {Map<string, string>} lazy is filled with what needs such a file, `lib/<name>.cjs`: name, and
 *   package or path
 * @returns {import('esbuild').Plugin} */
export function slimBundles(lazy) {
  return {
    name: 'slim-bundles',
    setup(build) {
      build.onResolve({ filter: new RegExp(`^(${STAND_INS.join('|')})$`) }, ({ path }) => ({
        path: join(here, `${path}.cjs`),
      }))
      build.onResolve({ filter: /^[a-z][a-z-]*$/ }, ({ path, kind }) => {
        if (kind !== 'dynamic-import') return undefined
        lazy.set(path, path)
        return { path: `./lib/${path}.cjs`, external: true }
      })
      build.onResolve({ filter: /^\.{1,2}\/.*\.ts$/ }, ({ path, kind, resolveDir }) => {
        if (kind !== 'dynamic-import') return undefined
        const name = basename(path, '.ts')
        lazy.set(name, join(resolveDir, path))
        return { path: `./lib/${name}.cjs`, external: true }
      })
    },
  }
}
