import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { parseAllDocuments, stringify } from 'yaml'
import { documents, files, type Manifest, manifests, ROOT } from '../../tests/support/repository.ts'
import { keepUnchanged } from './keep-unchanged.mjs'

const [JOB] = documents('knative/postgres/migrations.yaml')
const [METER] = documents('monitoring/cluster/meter.yaml')
const SERVICES = manifests('Service').filter(({ apiVersion }) => apiVersion === 'serving.knative.dev/v1')
const SERVICE = SERVICES.find(({ metadata }) => metadata.name === 'transfer')

const withImage = (object: Manifest, tag: string): Manifest => {
  const copy = structuredClone(object)
  copy.spec.template.spec.containers[0].image = `dev.local/microbank:${tag}`
  return copy
}
const ofRun = (run: string, object: Manifest): Manifest => {
  const metadata = { ...object.metadata, labels: { 'skaffold.dev/run-id': run } }
  return { ...object, metadata }
}
const imageOf = ({ spec }: Manifest): string => spec.template.spec.containers[0].image.split(':')[1]

const ASKED: Record<string, string> = {
  Job: 'Job.batch',
  Service: 'Service.serving.knative.dev',
  StatefulSet: 'StatefulSet.apps',
}

/** What is deployed if `cluster` is on the cluster and each container would run `content`. */
function deploy(object: Manifest, { content = 'a', cluster = [] as Manifest[] } = {}): Manifest {
  const written = keepUnchanged(
    stringify(object),
    () => content,
    (resource, namespace) => {
      expect([resource, namespace]).toEqual([ASKED[object.kind], object.metadata.namespace])
      return cluster
    },
  )
  return parseAllDocuments(written)[0]!.toJS()
}

test.each([
  ['a Service', SERVICE],
  ['the meter', METER],
])('%s keeps its image while its content is the same, and nothing else of it changes', (_, object) => {
  const first = deploy(withImage(object, 'one'))
  expect(imageOf(first)).toBe('one')
  const second = deploy(withImage(object, 'two'), { cluster: [first] })
  expect(second).toEqual(first)
  const third = deploy(withImage(object, 'three'), { content: 'b', cluster: [second] })
  expect(imageOf(third)).toBe('three')
  expect(third.spec).toEqual(withImage(object, 'three').spec)
  expect(imageOf(deploy(withImage(object, 'four'), { content: 'b', cluster: [third] }))).toBe('three')
})

test('an image that was set by hand, or by a deployment without this annotation, is replaced', () => {
  const first = deploy(withImage(SERVICE, 'one'))
  const byHand = withImage(first, 'mine')
  expect(imageOf(deploy(withImage(SERVICE, 'two'), { cluster: [byHand] }))).toBe('two')
  expect(imageOf(deploy(withImage(SERVICE, 'two'), { cluster: [withImage(SERVICE, 'one')] }))).toBe('two')
})

test('unchanged migrations are applied once in each run of skaffold, and again if they failed', () => {
  const first = deploy(ofRun('monday', withImage(JOB, 'one')))
  const again = ofRun('monday', withImage(JOB, 'two'))
  const succeeded = { ...first, status: { conditions: [{ type: 'Complete', status: 'True' }] } }
  const failed = { ...first, status: { conditions: [{ type: 'Failed', status: 'True' }] } }
  expect(deploy(again, { cluster: [succeeded] })).toEqual(first)
  expect(imageOf(deploy(again, { cluster: [failed] }))).toBe('two')
  expect(imageOf(deploy(ofRun('tuesday', again), { cluster: [succeeded] }))).toBe('two')
})

test('an object that does not run the bank’s image stays as it is', () => {
  const others = ['knative/config.yaml', 'knative/bank/domain.yaml', 'knative/isolation/bank.yaml']
  const objects = others.flatMap(documents)
  const written = keepUnchanged(
    objects.map((object) => stringify(object)).join('---\n'),
    () => undefined,
    () => [],
  )
  expect(parseAllDocuments(written).map((document) => document.toJS())).toEqual(objects)
})

describe('in a tree of the bank', () => {
  let tree: string
  beforeAll(() => {
    tree = mkdtempSync(join(tmpdir(), 'microbank-tree-'))
    for (const file of files(/./)) cpSync(join(ROOT, file), join(tree, file), { recursive: true })
    symlinkSync(join(ROOT, 'node_modules'), join(tree, 'node_modules'))
    // The stand-in for kubectl answers with what was deployed last.
    writeFileSync(join(tree, 'kubectl'), `#!/bin/sh\ncat ${join(tree, 'cluster.json')}\n`, { mode: 0o755 })
    writeFileSync(join(tree, 'cluster.json'), '{"items": []}')
  })
  afterAll(() => rmSync(tree, { recursive: true, force: true }))

  const edit = (file: string, change: (text: string) => string) =>
    writeFileSync(join(tree, file), change(readFileSync(join(tree, file), 'utf8')))

  /** Deploys everything. Returns the names of what got the new image. */
  function changedWith(tag: string): string[] {
    const { stdout, stderr, status } = spawnSync('node', ['knative/cluster/keep-unchanged.mjs'], {
      cwd: tree,
      env: { ...process.env, PATH: `${tree}${delimiter}${process.env.PATH}` },
      input: [...SERVICES, JOB].map((object) => stringify(withImage(object, tag))).join('---\n'),
      encoding: 'utf8',
    })
    expect([stderr, status]).toEqual(['', 0])
    const items = parseAllDocuments(stdout).map((document) => document.toJS() as Manifest)
    writeFileSync(join(tree, 'cluster.json'), JSON.stringify({ items }))
    expect(items).toHaveLength(SERVICES.length + 1)
    return items.filter((object) => imageOf(object) === tag).map(({ metadata }) => metadata.name as string)
  }

  test('a changed line gives a new image only to the functions whose bundle it changes', () => {
    expect(changedWith('one')).toHaveLength(SERVICES.length + 1)
    expect(changedWith('two')).toEqual([])
    // The code prints while it is loaded, even if nothing is called; the output must hold nothing but
    // manifests.
    edit(
      'functions/ledger/transfer.ts',
      (code) => `${code}\nconsole.log('loaded'); console.error('loaded')\n`,
    )
    edit('functions/ledger/sql/0001-accounts.sql', (sql) => `${sql}\n-- more\n`)
    expect(changedWith('three')).toEqual(['transfer', 'migrations'])
    edit('Dockerfile', (text) => text.replace('NODE=node:24', 'NODE=node:25'))
    expect(changedWith('four')).toHaveLength(SERVICES.length + 1)
  })
})
