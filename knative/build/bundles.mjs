import { relative, resolve } from 'node:path'
import { budgets } from './budgets.mjs'

/**
 * A bundle, and how many bytes of it come from which package or file.
 * @typedef {object} Bundle
 * @property {string} name such as `functions/accounts`
 * @property {number} bytes
 * @property {Map<string, number>} packages bytes by the package's name
 * @property {Map<string, number>} files bytes by file of the repository, or by module that the build
 *   generates
 */

/** @typedef {typeof budgets} Budgets */

/**
 * Returns the bundles that esbuild wrote into `folder`.
 * @param {import('esbuild').Metafile} metafile
 * @param {string} root the folder that the paths in the metafile start at
 * @param {string} folder
 * @returns {Bundle[]}
 */
export function bundlesOf(metafile, root, folder) {
  return Object.entries(metafile.outputs).map(([path, { bytes, inputs }]) => {
    const name = relative(folder, resolve(root, path)).replace(/\.cjs$/, '')
    /** @type {Bundle} */
    const bundle = { name, bytes, packages: new Map(), files: new Map() }
    for (const [input, { bytesInOutput }] of Object.entries(inputs)) {
      const [, packaged] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input) ?? []
      const parts = packaged ? bundle.packages : bundle.files
      const part = packaged ?? input
      parts.set(part, (parts.get(part) ?? 0) + bytesInOutput)
    }
    return bundle
  })
}

/**
 * Returns a sentence for each fault: a bundle over its budget, a bundle without a budget, a package that a
 * bundle must not hold, and a budget without a bundle.
 * @param {Bundle[]} bundles
 * @param {Budgets} [given]
 */
export function complaints(bundles, given = budgets) {
  const needed = new Set(bundles.map(({ name }) => lineFor(name, given)))
  return [
    ...bundles.flatMap((bundle) => complaintsOf(bundle, given)),
    ...Object.keys(given)
      .filter((line) => !needed.has(line))
      .map((line) => `there is a budget for ${line}, but no such bundle`),
  ]
}

/** @param {Bundle} bundle @param {Budgets} given */
function complaintsOf({ name, bytes, packages }, given) {
  const budget = budgetOf(name, given)
  if (!budget) return [`${name} has no budget; it weighs ${kB(bytes)} kB`]
  const strange = [...packages.keys()].filter((held) => budget.packages?.includes(held) === false)
  return [
    ...(bytes > budget.kB * 1000 ? [`${name} weighs ${kB(bytes)} kB, its budget is ${budget.kB} kB`] : []),
    ...strange.map((held) => `${name} holds ${held}; import that dynamically, or allow it in budgets.mjs`),
  ]
}

/**
 * Returns the key of a bundle's budget: its own name, or that of its folder with a star.
 * @param {string} name
 * @param {Budgets} given
 */
const lineFor = (name, given) => (name in given ? name : name.replace(/[^/]+$/, '*'))

/** @param {string} name @param {Budgets} [given] */
const budgetOf = (name, given = budgets) => given[lineFor(name, given)]

/**
 * A line for each bundle, the largest first.
 * @param {Bundle[]} bundles
 */
export function sizeTable(bundles) {
  const width = Math.max(...bundles.map(({ name }) => name.length))
  return bundles
    .toSorted((a, b) => b.bytes - a.bytes)
    .map(({ name, bytes }) => {
      const budget = budgetOf(name)?.kB
      return `${name.padEnd(width)}  ${kB(bytes).padStart(6)} of ${budget ? `${budget} kB` : 'no budget'}`
    })
    .join('\n')
}

/**
 * The parts of a bundle, the largest first: packages, files of the repository, and modules that the build
 * generates.
 * @param {Bundle} bundle
 */
export function contentTable({ name, bytes, packages, files }) {
  const rows = [...packages, ...files].sort((a, b) => b[1] - a[1])
  return [`${name}: ${kB(bytes)} kB`, ...rows.map(([part, size]) => `${kB(size).padStart(8)}  ${part}`)].join(
    '\n',
  )
}

/** @param {number} bytes */
const kB = (bytes) => (bytes / 1000).toFixed(1)
