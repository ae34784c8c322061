import { existsSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { files, read, ROOT } from './support/repository.ts'

/** What the guides name is there: files, headings, scripts. */

const guides = files(/\.md$/).map((file) => ({ file, text: read(file) }))

/** The anchor that GitHub gives a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-')

const anchorsOf = (file: string): string[] =>
  [...read(file).matchAll(/^#+ (.+)$/gm)].map(([, heading]) => anchorOf(heading!))

test('A14: guides link to files and headings that are there', () => {
  const broken = guides.flatMap(({ file, text }) =>
    [...text.matchAll(/\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)]*))?\)/g)].flatMap(([, path, anchor]) => {
      const target = path ? normalize(join(dirname(file), path)) : file
      const isThere = existsSync(join(ROOT, target)) && (!anchor || anchorsOf(target).includes(anchor))
      return isThere ? [] : `${file} links to ${path}${anchor ? `#${anchor}` : ''}`
    }),
  )
  expect(broken).toEqual([])
})

test('guides name files and folders that are there', () => {
  const tree = files(/./)
  const isThere = (path: string): boolean =>
    tree.some((file) => file === path || file.startsWith(`${path.replace(/\/$/, '')}/`))
  const missing = guides.flatMap(({ file, text }) =>
    [...text.matchAll(/`((?:functions|eventing|knative|monitoring|bench|tests|docs)\/[\w./-]+)`/g)].flatMap(
      ([, path]) => (isThere(path!) ? [] : `${file} names ${path}`),
    ),
  )
  expect(missing).toEqual([])
})

test('guides name npm scripts that are there', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
  for (const { file, text } of guides)
    for (const [, name] of text.matchAll(/npm run ([\w-]+(?::[\w-]+)*)/g))
      expect([file, Object.keys(scripts)]).toEqual([file, expect.arrayContaining([name])])
})

test('each table of a guide has one head', () => {
  const isRule = (line: string): boolean => /^\|( *:?-+:? *\|)+$/.test(line)
  const tables = guides.flatMap(({ file, text }) => text.split(/\n(?!\|)/).map((block) => ({ file, block })))
  const heads = tables.map(({ file, block }) => [file, block.split('\n').filter(isRule).length] as const)
  expect(heads.filter(([, rules]) => rules > 1)).toEqual([])
})

test('the tests that features.md names are there', () => {
  const rows = read('docs/features.md').match(/^\| *[A-EJ]?\d* +\|.*$/gm)!
  const shown = rows.map((row) => ({
    row,
    named: /`([\w./-]+\.(?:test|journey|part)\.ts)`: "(.+)" *\|$/.exec(row),
  }))
  // A test for each of a table has its name on a line of its own, or behind the table.
  const isThere = (text: string, name: string): boolean =>
    ["test('", ")('", ")(\n    '"].some((before) => text.includes(before + name))
  const missing = shown.filter(({ row, named }) =>
    named ? !isThere(read(named[1]!), named[2]!) : !row.includes('| not there yet'),
  )
  expect([shown.length > 40, missing.map(({ row }) => row)]).toEqual([true, []])
})

test('the test that features.md names for a feature has the id of the feature in its own name', () => {
  const rows = [...read('docs/features.md').matchAll(/^\| *([A-EJ]\d+) +\|.*: "(.+)" *\|$/gm)]
  const nameless = rows.filter(
    ([, id, name]) => !/^((?:[A-EJ]\d+, )*[A-EJ]\d+): /.exec(name!)?.[1]!.split(', ').includes(id!),
  )
  expect([rows.length > 40, nameless.map(([row]) => row)]).toEqual([true, []])
})

/** The features of the systems that this one grew from, by their ids, and the journeys through the pages. */
const FEATURES = { A: 14, C: 6, D: 14, E: 9, J: 5 }

test('features.md has each feature that the bank must have', () => {
  const ids = new Set([...read('docs/features.md').matchAll(/^\| *([A-EJ]\d+) +\|/gm)].map(([, id]) => id!))
  const missing = Object.entries(FEATURES)
    .flatMap(([system, count]) => Array.from({ length: count }, (_, i) => `${system}${i + 1}`))
    .filter((id) => !ids.has(id))
  expect(missing).toEqual([])
})
