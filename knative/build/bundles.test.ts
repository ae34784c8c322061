import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../../tests/support/repository.ts'
import { buildInto } from './build.mjs'
import { budgets } from './budgets.mjs'
import { complaints, contentTable, sizeTable, type Bundle } from './bundles.mjs'

let bundles: Bundle[]
beforeAll(async () => {
  // The folder is inside the repository, where packages are found. The build leaves a folder with such a name
  // alone.
  mkdirSync(join(ROOT, 'dist'), { recursive: true })
  const folder = mkdtempSync(join(ROOT, 'dist', '.build-'))
  try {
    bundles = await buildInto(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

const bundle = (name: string, change: Partial<Bundle> = {}): Bundle => ({
  ...{ name, bytes: 1000, packages: new Map(), files: new Map([['a.ts', 900]]) },
  ...change,
})

test('each bundle keeps to its budget, and holds no package that it should load later', () => {
  expect(bundles.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['functions/transfer', 'functions/lib/open-pool', 'local/runtime', 'migrate']),
  )
  expect(complaints(bundles)).toEqual([])
})

test('a bundle may be as large as its own budget or that of its folder, and no byte larger', () => {
  const given = { 'functions/*': { kB: 1 }, 'functions/web': { kB: 2 } }
  const heavy = [bundle('functions/web', { bytes: 2001 }), bundle('functions/pay', { bytes: 1001 })]
  expect(complaints([bundle('functions/web', { bytes: 2000 }), bundle('functions/pay')], given)).toEqual([])
  expect(complaints(heavy, given)).toEqual([
    'functions/web weighs 2.0 kB, its budget is 2 kB',
    'functions/pay weighs 1.0 kB, its budget is 1 kB',
  ])
})

test('a bundle without a budget and a budget without a bundle are reported', () => {
  expect(complaints([bundle('tools/new')], { 'functions/*': { kB: 1 } })).toEqual([
    'tools/new has no budget; it weighs 1.0 kB',
    'there is a budget for functions/*, but no such bundle',
  ])
})

test('a package that a bundle must not hold is reported', () => {
  const given = { pay: { kB: 1, packages: ['ajv'] } }
  const packages = new Map([
    ['ajv', 10],
    ['pg', 10],
  ])
  expect(complaints([bundle('pay', { packages })], given)).toEqual([
    'pay holds pg; import that dynamically, or allow it in budgets.mjs',
  ])
})

test('the parts of a bundle add up to nearly its size, and packages have their names', () => {
  for (const { name, bytes, packages, files } of bundles) {
    const sum = [...packages.values(), ...files.values()].reduce((a, b) => a + b, 0)
    // esbuild's own helpers belong to no file: up to 900 bytes in a bundle that requires another package.
    expect([name, sum <= bytes && sum > bytes * 0.9 - 900]).toEqual([name, true])
  }
  const { packages, files } = bundles.find(({ name }) => name === 'functions/lib/open-pool')!
  expect([...packages.keys()]).toEqual(expect.arrayContaining(['pg', 'pg-protocol']))
  expect([...files.keys()].filter((file) => file.includes('node_modules'))).toEqual([])
})

test('the tables show the largest first', () => {
  const [light, heavy] = [bundle('functions/light', { bytes: 900 }), bundle('local/ps', { bytes: 5000 })]
  expect(sizeTable([light, heavy])).toBe(
    `local/ps            5.0 of ${budgets['local/ps']!.kB} kB\nfunctions/light     0.9 of ${budgets['functions/*']!.kB} kB`,
  )
  const contents = { packages: new Map([['ajv', 300]]), files: new Map([['app.ts', 600]]) }
  expect(contentTable(bundle('pay', contents))).toBe('pay: 1.0 kB\n     0.6  app.ts\n     0.3  ajv')
})
