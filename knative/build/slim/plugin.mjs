import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = join(fileURLToPath(import.meta.url), '..')

/**
 * Large packages of which a function uses hardly anything. A small file in this folder replaces each, because
 * every cold start parses the whole bundle.
 */
const STAND_INS = ['iconv-lite', 'mime-db']

/**
 * Replaces large tables by small stand-ins.
 * @returns {import('esbuild').Plugin}
 */
export function standIns() {
  return {
    name: 'stand-ins',
    setup(build) {
      build.onResolve({ filter: new RegExp(`^(${STAND_INS.join('|')})$`) }, ({ path }) => ({
        path: join(here, `${path}.cjs`),
      }))
    },
  }
}

/**
 * Leaves out every package and every file of ours that the code imports dynamically: each becomes a file of
 * its own, loaded when it is first needed.
 * @param {Map<string, string>} lazy this fills it with what needs a file `lib/<name>.cjs`: the name, and the
 *   package or path
 * @returns {import('esbuild').Plugin}
 */
export function leaveOutLazy(lazy) {
  return {
    name: 'leave-out-lazy',
    setup(build) {
      build.onResolve({ filter: /^[a-z][a-z-]*$/ }, ({ path, kind }) => {
        if (kind !== 'dynamic-import') return undefined
        lazy.set(path, path)
        return { path: `./lib/${path}.cjs`, external: true }
      })
      build.onResolve({ filter: /^\.{1,2}\/.*\.ts$/ }, ({ path, kind, resolveDir }) => {
        if (kind !== 'dynamic-import') return undefined
        const name = basename(path, '.ts')
        const file = join(resolveDir, path)
        if ((lazy.get(name) ?? file) !== file)
          throw new Error(`${file} and ${lazy.get(name)} are both loaded later, so their names must differ`)
        lazy.set(name, file)
        return { path: `./lib/${name}.cjs`, external: true }
      })
    },
  }
}
