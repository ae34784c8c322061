import { dirname, join, normalize } from 'node:path'
import { files, operations, read } from './support/repository.ts'

/** The structure of the code: which folder may import which, and how long a file may be. */

/** Written by a program, for programs. */
const GENERATED = 'functions/web/client/api.ts'

const sources = files(/^(functions|eventing|knative|monitoring|bench)\/.*\.ts$/).filter(
  (file) => !/\.test\.ts$|-fixture\.ts$/.test(file) && file !== GENERATED,
)

/** Returns what a file imports from this repository: values, types, and what it loads later. */
const importsOf = (file: string): string[] =>
  [...read(file).matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map((match) =>
    normalize(join(dirname(file), match[1]!)),
  )

const imports = sources.flatMap((file) => importsOf(file).map((imported) => ({ file, imported })))

/** Returns the imports that break a rule, as sentences. */
const against = (isWrong: (file: string, imported: string) => boolean): string[] =>
  imports
    .filter(({ file, imported }) => isWrong(file, imported))
    .map(({ file, imported }) => `${file} imports ${imported}`)

test('imports go from knative to functions to eventing to monitoring, and never back', () => {
  const order = ['bench', 'knative', 'functions', 'eventing', 'monitoring']
  const floor = (file: string): number => order.indexOf(file.split('/')[0]!)
  expect(against((file, imported) => floor(imported) !== -1 && floor(imported) < floor(file))).toEqual([])
})

test('the function host imports no context, and contracts import only contracts', () => {
  const isContext = (file: string): boolean => /^functions\/(?!host\/)[^/]+\//.test(file)
  expect(against((file, imported) => file.startsWith('functions/host/') && isContext(imported))).toEqual([])
  const isContract = (file: string): boolean => file.startsWith('eventing/contracts/')
  expect(against((file, imported) => isContract(file) && !isContract(imported))).toEqual([])
})

test('no context imports another, and no operation imports an operation', async () => {
  const declared = new Set((await operations()).map(({ file }) => file))
  const contextOf = (file: string): string | undefined => /^functions\/([^/]+)\//.exec(file)?.[1]
  expect(
    against((file, imported) => {
      const [context, other] = [contextOf(file), contextOf(imported)]
      if (!context || !other) return false
      return (other !== context && other !== 'host') || declared.has(imported)
    }),
  ).toEqual([])
})

test('no files import each other in a circle, not even types', () => {
  const next = new Map(sources.map((file) => [file, importsOf(file)]))
  const state = new Map<string, 'open' | 'done'>()
  const circles: string[] = []
  const visit = (file: string, way: readonly string[]): void => {
    if (state.get(file) === 'open') circles.push([...way.slice(way.indexOf(file)), file].join(' -> '))
    if (state.has(file)) return
    state.set(file, 'open')
    for (const imported of next.get(file) ?? []) visit(imported, [...way, file])
    state.set(file, 'done')
  }
  for (const file of sources) visit(file, [])
  expect(circles).toEqual([])
})

test('no file is longer than 300 lines', () => {
  const long = [...sources, ...files(/\.sql$/)].filter((file) => read(file).split('\n').length > 301)
  expect(long).toEqual([])
})

test('no two files give the same name to an interface, a type or a class', () => {
  const filesOf = new Map<string, string[]>()
  for (const file of sources)
    for (const [, name] of read(file).matchAll(/^(?:export )?(?:abstract )?(?:interface|type|class) (\w+)/gm))
      filesOf.set(name!, [...(filesOf.get(name!) ?? []), file])
  const shared = [...filesOf].filter(([, { length }]) => length > 1)
  expect(shared.map(([name, where]) => `${name} stands in ${where.join(' and ')}`)).toEqual([])
})

test('every file that the package’s scripts name exists', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
  const named = Object.values(scripts).flatMap(
    (script) => /^node (?!node_modules\/)(\S+)/.exec(script)?.[1] ?? [],
  )
  expect(files(/./)).toEqual(expect.arrayContaining(named))
})

test('comments are at most 110 columns wide, as the code is', () => {
  const isLong = (line: string): boolean => line.length > 110 && /^\s*(\*|\/\/|\/\*\*|--) /.test(line)
  const long = files(/^(functions|eventing|knative|monitoring|bench|tests)\/.*\.(ts|mjs|sql)$/).flatMap(
    (file) => (file !== GENERATED && read(file).split('\n').some(isLong) ? [file] : []),
  )
  expect(long).toEqual([])
})

test('no page makes markup or code of a text, opens another window, or keeps anything beyond the two storages', () => {
  const unsafe =
    /dangerouslySetInnerHTML|innerHTML|outerHTML|insertAdjacentHTML|srcDoc|document\.write|\beval\(|new Function|\btarget=|window\.open|indexedDB|serviceWorker|\bcaches\b|document\.cookie/i
  const sources = files(/^functions\/web\/ui\/.*\.(tsx?|js|html)$/).filter(
    (file) => !file.endsWith('.test.ts'),
  )
  expect(sources.length).toBeGreaterThan(100)
  expect(sources.filter((file) => unsafe.test(read(file)))).toEqual([])
})

test('pages import parts and data, data the client, and nothing there a function', () => {
  const UI = 'functions/web/ui/'
  /** What each folder of the pages may import besides itself. */
  const allowed: Record<string, readonly string[]> = {
    pages: ['panels', 'parts', 'data', 'texts', 'money', 'proof'],
    panels: ['parts', 'data', 'texts', 'money'],
    frame: ['search', 'parts', 'data', 'texts', 'routes.ts'],
    search: ['parts', 'data', 'texts'],
    parts: ['texts', 'look', 'money'],
    data: ['money', 'proof'],
    texts: [],
    money: [],
    proof: [],
  }
  const folderOf = (file: string): string | undefined =>
    file.startsWith(UI) ? file.slice(UI.length).split('/')[0] : undefined
  const areaOf = (file: string): string | undefined => /ui\/pages\/(\w[\w-]*)\//.exec(file)?.[1]
  const routed = new Set(importsOf(`${UI}routes.ts`).filter((file) => folderOf(file) === 'pages'))
  const isWrong = (file: string, imported: string): boolean => {
    const [from, to] = [folderOf(file)!, folderOf(imported)]
    if (!allowed[from]) return false
    if (to === undefined)
      return (
        !imported.startsWith('functions/host/values/') &&
        !(imported.startsWith('functions/web/client/') && ['data', 'proof'].includes(from))
      )
    if (from === 'pages' && to === 'pages') return areaOf(file) !== areaOf(imported) || routed.has(imported)
    return to !== from && !allowed[from].includes(to)
  }
  const wrong = files(/^functions\/web\/ui\/.*\.tsx?$/)
    .filter((file) => !file.endsWith('.test.ts'))
    .flatMap((file) => importsOf(file).map((imported) => ({ file, imported })))
    .filter(({ file, imported }) => isWrong(file, imported))
  expect(wrong.map(({ file, imported }) => `${file} imports ${imported}`)).toEqual([])
  expect(routed.size).toBeGreaterThan(2)
})
