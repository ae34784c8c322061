import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { buildOnce } from '../support/built.ts'
import { files, ROOT } from '../support/repository.ts'

/** What the pages weigh, in bytes and in requests, over what the build has written. */

const FOLDER = join(ROOT, 'dist/web/ui')

interface Chunk {
  file: string
  isDynamicEntry?: boolean
  css?: string[]
  imports?: string[]
}

let manifest: Record<string, Chunk>
let page: string
beforeAll(async () => {
  await buildOnce()
  manifest = JSON.parse(readFileSync(join(FOLDER, 'manifest.json'), 'utf8')) as typeof manifest
  page = readFileSync(join(FOLDER, 'index.html'), 'utf8')
})

const bytesOf = (file: string): Buffer => readFileSync(join(FOLDER, file))
const gzipBytes = (loaded: Iterable<string>): number =>
  [...loaded].reduce((sum, file) => sum + gzipSync(bytesOf(file)).length, 0)

/** Returns the files that the address of any page loads first, without the icon. */
const first = (): Set<string> =>
  new Set([
    'index.html',
    ...[...page.matchAll(/(?:src|href)="\/(assets\/[^"]+)"/g)]
      .map(([, file]) => file!)
      .filter((file) => !file.endsWith('.svg')),
  ])

/** Returns the files that a chunk loads with all that it imports. */
function filesOf(name: string, seen = new Set<string>()): Set<string> {
  const { file, css = [], imports = [] } = manifest[name]!
  if (seen.has(file)) return seen
  for (const each of [file, ...css]) seen.add(each)
  for (const each of imports) filesOf(each, seen)
  return seen
}

const pages = files(/^functions\/web\/ui\/pages\/.*\.tsx$/).map((file) =>
  file.replace('functions/web/ui/', ''),
)

test('the first load of /sign-in is at most 150 kB in six requests, with 14 kB of styles', () => {
  const loaded = new Set([...first(), ...filesOf('pages/sign-in/sign-in.tsx')])
  expect(loaded.size).toBeLessThanOrEqual(6)
  expect(gzipBytes(loaded)).toBeLessThanOrEqual(150_000)
  expect(gzipBytes([...loaded].filter((file) => file.endsWith('.css')))).toBeLessThanOrEqual(14_000)
})

test('each further page loads at most 40 kB more', () => {
  const known = first()
  const weights = pages
    .filter((name) => manifest[name])
    .map((name) => [name, gzipBytes([...filesOf(name)].filter((file) => !known.has(file)))] as const)
  expect(weights.length).toBeGreaterThan(2)
  expect(weights.filter(([, bytes]) => bytes > 40_000)).toEqual([])
})

test('what the frame loads when it is opened weighs at most: the search 30 kB, the drawer of calls 3 kB', () => {
  const known = first()
  const limits = { 'search/search.tsx': 30_000, 'frame/calls-drawer.tsx': 3_000 }
  const later = Object.entries(manifest).filter(([, { isDynamicEntry }]) => isDynamicEntry)
  expect(
    later
      .map(([name]) => name)
      .filter((name) => !name.startsWith('pages/'))
      .sort(),
  ).toEqual(Object.keys(limits).sort())
  for (const [name, most] of Object.entries(limits))
    expect([name, gzipBytes([...filesOf(name)].filter((file) => !known.has(file))) <= most]).toEqual([
      name,
      true,
    ])
})

test('there are no fonts', () => {
  expect(readdirSync(join(FOLDER, 'assets')).filter((name) => /\.(woff2?|ttf|otf)(\.|$)/.test(name))).toEqual(
    [],
  )
  expect([...first()].filter((file) => String(bytesOf(file)).includes('@font-face'))).toEqual([])
})

test('nothing is inlined, nothing comes from elsewhere, and no map shows the sources', () => {
  expect(page).not.toMatch(/<script(?![^>]*\ssrc="\/assets\/)|<style|style=|\son\w+=|https?:/)
  expect(page.length).toBeLessThanOrEqual(2_000)
  // The frame is there before any script.
  expect(page).toContain('<header class="first-frame">')
  const scripts = new Set(Object.values(manifest).map(({ file }) => file))
  for (const file of scripts)
    expect([file, String(bytesOf(file)).includes('sourceMappingURL')]).toEqual([file, false])
})
