import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = join(fileURLToPath(import.meta.url), '..')

/** Large packages of which a function uses next to nothing, and what stands for them: every cold start parses
 * the whole bundle. */
const STAND_INS = ['iconv-lite', 'mime-db']

/** Keeps bundles small: stand-ins for large tables, and a file of its own, loaded when it is first needed, for
 * every package that the code imports dynamically.
 * @param {Set<string>} lazyPackages is filled with the packages that need such a file: `lib/<name>.cjs`
 * @returns {import('esbuild').Plugin} */
export function slimBundles(lazyPackages) {
  return {
    name: 'slim-bundles',
    setup(build) {
      build.onResolve({ filter: new RegExp(`^(${STAND_INS.join('|')})$`) }, ({ path }) => ({
        path: join(here, `${path}.cjs`),
      }))
      build.onResolve({ filter: /^[a-z][a-z-]*$/ }, ({ path, kind }) => {
        if (kind !== 'dynamic-import') return undefined
        lazyPackages.add(path)
        return { path: `./lib/${path}.cjs`, external: true }
      })
    },
  }
}
