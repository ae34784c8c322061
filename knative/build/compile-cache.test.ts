import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import nodeModule from 'node:module'
import { join } from 'node:path'
import { ROOT } from '../../tests/support/repository.ts'
import { buildInto } from './build.mjs'
import { fillCompileCache } from './compile-cache.mjs'

let folder: string
beforeEach(() => {
  // The folder is inside the repository, where the build finds packages. The build leaves a folder with such
  // a name alone.
  mkdirSync(join(ROOT, 'dist'), { recursive: true })
  folder = mkdtempSync(join(ROOT, 'dist', '.build-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const hasCompileCache = 'enableCompileCache' in nodeModule
const withCompileCache = hasCompileCache ? test : test.skip
const withoutCompileCache = hasCompileCache ? test.skip : test

/** The files of the cache, each with the time when it was written. */
const written = (cache: string) =>
  readdirSync(cache, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name, parentPath }) => [name, statSync(join(parentPath, name)).mtimeMs])
    .sort()

withCompileCache('compiles every bundle, so a later start finds its code compiled', async () => {
  const bundles = await buildInto(folder)
  const ofFunctions = bundles.filter(({ name }) => name.startsWith('functions/'))
  const cache = join(folder, 'cache')
  expect(await fillCompileCache(join(folder, 'functions'), cache)).toBe(ofFunctions.length)
  const filled = written(cache)
  expect(filled).toHaveLength(ofFunctions.length)

  for (const name of ['functions/transfer', 'functions/lib/open-pool']) {
    const env = { PATH: process.env.PATH, PORT: 'none', NODE_COMPILE_CACHE: cache }
    spawnSync(process.execPath, [join(folder, `${name}.cjs`)], { env })
  }
  // Node writes a file for all that it had to compile.
  expect(written(cache)).toEqual(filled)
})

withCompileCache('fails with the output of a bundle that can not be loaded', async () => {
  mkdirSync(join(folder, 'lib'))
  writeFileSync(join(folder, 'broken.cjs'), `throw new Error('a part is missing')`)
  await expect(fillCompileCache(folder, join(folder, 'cache'))).rejects.toThrow(
    /broken\.cjs could not be loaded: [^]*a part is missing/,
  )
})

withoutCompileCache('does nothing under a Node that has no compile cache', async () => {
  const cache = join(folder, 'cache')
  expect(await fillCompileCache(folder, cache)).toBe(0)
  expect(existsSync(cache)).toBe(false)
})
