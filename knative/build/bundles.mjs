import { relative, resolve } from 'node:path'
import { budgets } from './budgets.mjs'

/** A bundle: its name (`functions/accounts`), and how many bytes of it come from which package or file.
 * @typedef {object} Bundle
 * @property {string} name
 * @property {number} bytes
 * @property {Map<string, number>} packages by name
 * @property {Map<string, number>} files of the repository, and modules that the build makes */

/** @typedef {typeof budgets} Budgets */

/** The bundles that esbuild wrote into `folder`.
 * @param {import('esbuild').Metafile} metafile @param {string} root that its paths start at
 * @param {string} folder @returns {Bundle[]} */
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

/** What is wrong with the bundles, a sentence each: over budget, without a budget, or with a package that is
 * not to be in there; and budgets of what is not built.
 * @param {Bundle[]} bundles @param {Budgets} [given] */
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

/** A bundle has a line of its own, or shares that of its folder. @param {string} name @param {Budgets}
 * given */
const lineFor = (name, given) => (name in given ? name : name.replace(/[^/]+$/, '*'))

/** @param {string} name @param {Budgets} [given] */
const budgetOf = (name, given = budgets) => given[lineFor(name, given)]

/** A line for each bundle, the heaviest first. @param {Bundle[]} bundles */
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

/** What is in a bundle, the heaviest first: packages, the repository's files, and what the build makes.
 * @param {Bundle} bundle */
export function contentTable({ name, bytes, packages, files }) {
  const rows = [...packages, ...files].sort((a, b) => b[1] - a[1])
  return [`${name}: ${kB(bytes)} kB`, ...rows.map(([part, size]) => `${kB(size).padStart(8)}  ${part}`)].join(
    '\n',
  )
}

/** @param {number} bytes */
const kB = (bytes) => (bytes / 1000).toFixed(1)
