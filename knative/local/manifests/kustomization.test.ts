import { AS_KUSTOMIZE, kustomize } from '../../../tests/support/kubectl.ts'
import type { Manifest } from '../../../tests/support/repository.ts'
import { readManifests, readResources } from './manifests.ts'
import { folderWith } from '../gateway/gateway-fixture.ts'

const FOLDER = 'knative/services'
const NAMES = ['log', 'login', 'login-late', 'late-login']

const serviceYaml = (name: string) => `
apiVersion: serving.knative.dev/v1
kind: Service
metadata: { name: ${name}${name === 'log' ? '' : ', namespace: bank'} }
spec:
  template:
    metadata: { annotations: { autoscaling.knative.dev/window: 30s } }
    spec:
      containers:
        - { image: microbank, args: [${name}], envFrom: [{ secretRef: { name: own } }] }
`

/** A folder with these Services and this kustomization.yaml. */
function folderOf(kustomization: string, names: string[], files: Record<string, string> = {}) {
  return folderWith({
    ...Object.fromEntries(names.map((name) => [`${FOLDER}/${name}.yaml`, serviceYaml(name)])),
    [`${FOLDER}/kustomization.yaml`]: `
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [${names.map((name) => `${name}.yaml`).join(', ')}]
${kustomization}
`,
    ...Object.fromEntries(Object.entries(files).map(([name, text]) => [`${FOLDER}/${name}`, text])),
  })
}

/**
 * The Services as the local runtime reads them. Also checks that kubectl makes the same of the same files, or
 * that both fail.
 */
function patchedServices(...args: Parameters<typeof folderOf>): Manifest[] {
  const folder = folderOf(...args)
  try {
    const rendered = kustomize(`${folder.path}/${FOLDER}`)
    let read: Manifest[]
    try {
      read = readResources(folder.path).map(({ document }) => document)
    } catch (error) {
      if (rendered !== undefined) expect(typeof rendered).toBe('string')
      throw error
    }
    const sorted = (objects: Manifest[]) =>
      objects.sort((one, other) => (one.metadata.name < other.metadata.name ? -1 : 1))
    if (rendered !== undefined) expect(sorted(rendered as Manifest[])).toEqual(sorted(read))
    return read
  } finally {
    folder.remove()
  }
}

const patchesOf = (target: string, ...operations: string[]) =>
  `patches: [{ target: ${target}, patch: "${operations.map((each) => `- ${each}\\n`).join('')}" }]`

describe(`which resources a target means${AS_KUSTOMIZE}`, () => {
  test.each([
    ['{ kind: Service }', NAMES],
    ['{}', NAMES],
    ["{ kind: '', name: '' }", NAMES],
    ['{ kind: S.*|Job }', NAMES],
    ['{ group: serving.knative.dev, version: v1 }', NAMES],
    ['{ kind: Service, name: log }', ['log']],
    ['{ kind: Service, name: log.* }', ['log', 'login', 'login-late']],
    ['{ kind: Service, name: .*login }', ['login', 'late-login']],
    ['{ kind: Service, name: log|login }', ['log', 'login']],
    ['{ kind: Service, name: ^login$ }', ['login']],
    ['{ namespace: bank }', ['login', 'login-late', 'late-login']],
    ['{ namespace: default }', ['log']],
  ])('%s', (target, expected) => {
    const patches = patchesOf(target, '{op: add, path: /metadata/labels, value: {hit: there}}')
    const hit = patchedServices(patches, NAMES).filter(({ metadata }) => metadata.labels)
    expect(hit.map(({ metadata }) => metadata.name as string).sort()).toEqual([...expected].sort())
  })
})

test.each(['{ kind: Serv }', '{ group: knative.dev }', '{ namespace: b }'])('%s means none', (target) => {
  const folder = folderOf(patchesOf(target, '{op: add, path: /metadata/labels, value: {hit: there}}'), NAMES)
  expect(readResources(folder.path).filter(({ metadata }) => 'hit' in metadata.labels)).toEqual([])
  folder.remove()
})

describe(`what an operation does${AS_KUSTOMIZE}`, () => {
  const CONTAINER = '/spec/template/spec/containers/0'
  const WINDOW = '/spec/template/metadata/annotations/autoscaling.knative.dev~1window'
  const after = (...operations: string[]): Manifest => {
    const [service] = patchedServices(patchesOf('{ kind: Service }', ...operations), ['login'])
    const { metadata, spec } = service.spec.template
    return { ...metadata.annotations, ...spec, ...spec.containers[0] }
  }

  test('adds, replaces and removes fields, and adds to lists', () => {
    const window = 'autoscaling.knative.dev/window'
    expect(after(`{op: replace, path: ${WINDOW}, value: 6s}`)[window]).toBe('6s')
    expect(after(`{op: add, path: ${WINDOW}, value: 7s}`)[window]).toBe('7s')
    expect(after(`{op: remove, path: ${WINDOW}}`)[window]).toBeUndefined()
    expect(after('{op: add, path: /spec/template/spec/timeoutSeconds, value: 30}').timeoutSeconds).toBe(30)
    const add = (at: string) =>
      `{op: add, path: ${CONTAINER}/envFrom/${at}, value: {configMapRef: {name: c}}}`
    const [own, config] = [{ secretRef: { name: 'own' } }, { configMapRef: { name: 'c' } }]
    expect(after(add('0')).envFrom).toEqual([config, own])
    expect(after(add('1')).envFrom).toEqual([own, config])
    expect(after(add('-'), add('-')).envFrom).toEqual([own, config, config])
    expect(after(`{op: remove, path: ${CONTAINER}/envFrom/0}`).envFrom).toEqual([])
  })

  test('one that does not apply is an error that names patch, Service and file', () => {
    for (const operation of [
      '{op: remove, path: /spec/none}',
      '{op: add, path: /spec/none/deep, value: 1}',
      `{op: add, path: ${CONTAINER}/env/0, value: {}}`,
      `{op: add, path: ${CONTAINER}/envFrom/2, value: {}}`,
      `{op: remove, path: ${CONTAINER}/envFrom/1}`,
      `{op: replace, path: ${CONTAINER}/envFrom/1, value: {}}`,
      `{op: add, path: ${CONTAINER}/image/deep, value: 1}`,
    ])
      expect(() => after(operation)).toThrow(
        /^knative\/services\/kustomization.yaml: (add|replace|remove) \/spec\/\S+ does not apply to Service login of knative\/services\/login.yaml: ./,
      )
  })

  test('one that replaces a missing field is an error, as RFC 6902 says; kustomize 5.5 would add the field', () => {
    const folder = folderOf(patchesOf('{ kind: Service }', '{op: replace, path: /spec/none, value: 1}'), [
      'login',
    ])
    expect(() => readResources(folder.path)).toThrow(/replace \/spec\/none does not apply to Service login/)
    folder.remove()
  })

  test('patches apply in their order, those of an inner folder first', () => {
    const step = (value: string) =>
      patchesOf('{ kind: Service }', `{op: add, path: ${WINDOW}, value: ${value}}`)
    const folder = folderWith({
      'eventing/inner/one.yaml': serviceYaml('one'),
      'eventing/inner/kustomization.yaml': `resources: [one.yaml]\n${step('1s')}`,
      'eventing/two.yaml': serviceYaml('two'),
      'eventing/kustomization.yaml': `resources: [inner, two.yaml]\n${step('2s')}`,
    })
    const windows = readManifests(folder.path).services.map(({ name, scaling }) => [name, scaling.windowMs])
    const rendered = kustomize(`${folder.path}/eventing`)
    folder.remove()
    expect(windows).toEqual([
      ['one', 2000],
      ['two', 2000],
    ])
    for (const { spec } of (rendered ?? []) as Manifest[])
      expect(spec.template.metadata.annotations).toEqual({ 'autoscaling.knative.dev/window': '2s' })
  })
})

test('a patch may be in a file of its own, which is then not read as a manifest', () => {
  const kustomization = 'patches: [{ path: patches/late.yaml, target: { name: .*late } }]'
  const operations = '- { op: add, path: /spec/template/spec/timeoutSeconds, value: 30 }'
  const services = patchedServices(kustomization, NAMES, { 'patches/late.yaml': `# Why.\n${operations}\n` })
  expect(
    services.map(({ metadata, spec }) => [metadata.name, spec.template.spec.timeoutSeconds]).sort(),
  ).toEqual([
    ['late-login', undefined],
    ['log', undefined],
    ['login', undefined],
    ['login-late', 30],
  ])
})

test('an error in a patched manifest names the patch', () => {
  const wrong = patchesOf(
    '{ kind: Service }',
    '{op: add, path: /spec/template/spec/timeoutSeconds, value: long}',
  )
  const folder = folderOf(wrong, ['login'])
  expect(() => readManifests(folder.path)).toThrow(
    'knative/services/login.yaml: Service login: spec.template.spec.timeoutSeconds is "long"; expected a number ' +
      '(patched by knative/services/kustomization.yaml)',
  )
  folder.remove()
})

describe('what the local runtime can’t apply stops it, with a sentence that names the file', () => {
  const add = '- { op: add, path: /spec/a, value: 1 }'
  const patch = (text: string, target = '{ kind: Service }') =>
    `patches: [{ target: ${target}, patch: '${text}' }]`
  test.each([
    [
      'another transformer',
      'namePrefix: my-',
      /this kustomization has namePrefix, which the local runtime does/,
    ],
    [
      'a strategic merge',
      patch('spec: { template: {} }'),
      /patches.0 is not a list of JSON patch operations/,
    ],
    ['nothing', patch('[]'), /patches.0 is not a list of JSON patch operations/],
    ['JSON that is none', patch('[{ op: remove, path: /spec }]'), /patches.0 is not a list of JSON patch/],
    ['no target', `patches: [{ patch: '${add}' }]`, /patches.0.target is missing/],
    ['labels', patch(add, '{ labelSelector: a=b }'), /patches.0.target has labelSelector, which the local/],
    ['options', 'patches: [{ path: a, target: {}, options: {} }]', /patches.0 has options, which/],
    [
      'no file',
      'patches: [{ path: a.yaml, target: {} }]',
      /the patch knative\/services\/a.yaml can't be read/,
    ],
    [
      'two sources',
      "patches: [{ path: a, patch: '', target: {} }]",
      /patches.0 needs either path, .* or patch/,
    ],
    ['no list', 'patches: {}', /patches is not a list/],
    [
      'an operation',
      patch('- { op: move, from: /a, path: /b }'),
      /"op":"move".* does not know; expected add/,
    ],
    ['a path', patch('- { op: remove, path: spec }'), /"path":"spec".*a path that starts with \//],
    ['the end of a list', patch('- { op: replace, path: /spec/-, value: 1 }'), /"op":"replace".* not know/],
    ['an expression', patch(add, '{ name: "(" }'), /target.name is "\("; expected a regular expression/],
    ['what Go lacks', patch(add, '{ name: "(?!a)b" }'), /target.name is .* a regular expression of Go/],
    ['YAML', 'patches: [', /Flow sequence|line/],
  ])('%s', (_what, kustomization, message) => {
    const folder = folderOf(kustomization, ['login'])
    const read = () => readManifests(folder.path)
    expect(read).toThrow(message)
    expect(read).toThrow(/^knative\/services\/kustomization\.yaml: /)
    folder.remove()
  })
})
