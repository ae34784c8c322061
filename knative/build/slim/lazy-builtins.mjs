/** Modules of Node that a function doesn't need before its port is open. */
const LATE = ['node:crypto', 'node:fs/promises', 'node:timers/promises']

/**
 * Makes a bundle load these modules when it first calls a function of them: node:crypto alone takes 2 of the
 * 30 ms in which Node starts. Only functions can be imported from them, by their names.
 * @returns {import('esbuild').Plugin}
 */
export function lazyBuiltins() {
  return {
    name: 'lazy-builtins',
    setup(build) {
      build.onResolve({ filter: new RegExp(`^(${LATE.join('|')})$`) }, ({ path, namespace }) =>
        namespace === 'late' ? { path, external: true } : { path, namespace: 'late' },
      )
      build.onLoad({ filter: /.*/, namespace: 'late' }, async ({ path }) => {
        const builtin = await import(path)
        // One export for each function; esbuild keeps those that are used.
        const functions = Object.keys(builtin).filter(
          (name) => /^[a-z]/.test(name) && name !== 'default' && typeof builtin[name] === 'function',
        )
        const late = functions.map((name) => `export const ${name} = (...args) => load().${name}(...args)`)
        return {
          contents: `
            let loaded
            const load = () => (loaded ??= require(${JSON.stringify(path)}))
            ${late.join('\n')}`,
        }
      })
    },
  }
}
