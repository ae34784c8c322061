import { dirname } from 'node:path'
import { Pointer } from 'rfc6902'
import { parse } from 'yaml'
import { readKustomization } from '../knative/local/manifests/kustomization.ts'
import { readResources } from '../knative/local/manifests/manifests.ts'
import { readResource } from '../knative/local/manifests/resource.ts'
import { AS_KUSTOMIZE, kustomize } from './support/kubectl.ts'
import { documents, files, read, ROOT, type Manifest } from './support/repository.ts'

/** A Service's file says what is particular to it, and kustomization.yaml the rest. */

const FOLDERS = ['knative/services', 'eventing']
const services = files(/^knative\/services\/[a-z-]+\.yaml$/).filter((file) => !file.includes('kustomization'))
const written = services.map((file) => {
  const [{ file: _, ...document }] = documents(file)
  return readResource(file, document)
})
const patches = FOLDERS.flatMap((folder) => readKustomization(ROOT, `${folder}/kustomization.yaml`).patches)
const applied = readResources(ROOT)
const nameOf = ({ kind, metadata }: Manifest): string => `${kind} ${metadata.name}`
const serviceOf = (name: string): Manifest =>
  applied.find((resource) => nameOf(resource) === `Service ${name}`)!.document

test('a Service’s file has fewer than 20 lines', () => {
  expect(services.length).toBeGreaterThan(15)
  for (const file of services)
    expect([file, read(file).trimEnd().split('\n').length < 20]).toEqual([file, true])
})

test('a Service’s file repeats nothing of a patch', () => {
  for (const service of written)
    for (const patch of patches.filter(({ isFor }) => isFor(service)))
      for (const operation of patch.operations) {
        const { parent, value } = Pointer.fromJSON(operation.path).evaluate(service.document)
        const said: unknown = Array.isArray(parent)
          ? parent.find((entry) => 'value' in operation && same(entry, operation.value))
          : value
        expect([service.file, operation.path, said]).toEqual([service.file, operation.path, undefined])
      }
})

test('the files of all Services have only in common what makes them Services', () => {
  const said = written.map(({ document }) => new Set(leaves(document)))
  const alike = [...said[0]!].filter((leaf) => said.every((other) => other.has(leaf)))
  expect(alike.sort()).toEqual([
    'apiVersion: "serving.knative.dev/v1"',
    'kind: "Service"',
    'metadata.namespace: "bank"',
  ])
})

test('each patch changes some Service', () => {
  expect(patches.length).toBeGreaterThan(2)
  for (const { file, isFor } of patches) expect([file, applied.some(isFor)]).toEqual([file, true])
})

test.each(FOLDERS)(`the local runtime applies %s as a cluster does${AS_KUSTOMIZE}`, (folder) => {
  const own = applied.filter(({ file }) => file.startsWith(`${folder}/`))
  const listed = documents(`${folder}/kustomization.yaml`)[0].resources as string[]
  expect([...new Set(own.map(({ file }) => file))]).toEqual(listed.map((file) => `${folder}/${file}`).sort())
  const rendered = kustomize(folder)
  if (rendered) expect(byName(rendered as Manifest[])).toEqual(byName(own.map(({ document }) => document)))
})

test('A13, E7: a function gets all of this from its file and the patches', () => {
  const [own] = documents('knative/services/transfer.yaml')
  expect(serviceOf('transfer')).toEqual(
    parse(`
apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: transfer
  namespace: bank
spec:
  template:
    metadata:
      labels: { microbank.dev/context: ledger }
      annotations:
        autoscaling.knative.dev/initial-scale: '0'
        autoscaling.knative.dev/max-scale: '10'
        autoscaling.knative.dev/window: 30s
    spec:
      containerConcurrency: 200
      timeoutSeconds: 30
      enableServiceLinks: false
      automountServiceAccountToken: false
      containers:
        - image: dev.local/microbank
          args: [transfer]
          envFrom:
            - configMapRef: { name: microbank }
            - ${own.spec.template.spec.containers[0].envFrom.map((from: Manifest) => JSON.stringify(from)).join('\n            - ')}
          resources:
            requests: { cpu: 50m, memory: 96Mi }
            limits: { memory: 256Mi }
          securityContext:
            runAsNonRoot: true
            readOnlyRootFilesystem: true
            allowPrivilegeEscalation: false
            capabilities: { drop: [ALL] }
            seccompProfile: { type: RuntimeDefault }
          volumeMounts:
            - { name: database-ca, mountPath: /etc/microbank/database-ca, readOnly: true }
      volumes:
        - { name: database-ca, configMap: { name: database-ca } }
`),
  )
})

test('a sweep ends soon, and the front door always runs and has no database', () => {
  const prefix = 'autoscaling.knative.dev'
  const annotationsOf = (name: string): Manifest => serviceOf(name).spec.template.metadata.annotations
  const sweeps = services.filter((file) => file.includes('/sweep-'))
  expect(sweeps.length).toBeGreaterThan(2)
  for (const file of sweeps)
    expect(annotationsOf(file.slice(`${dirname(file)}/`.length, -'.yaml'.length))).toEqual({
      [`${prefix}/initial-scale`]: '0',
      [`${prefix}/max-scale`]: '1',
      [`${prefix}/window`]: '6s',
    })
  expect(annotationsOf('front-door')).toMatchObject({
    [`${prefix}/min-scale`]: '1',
    [`${prefix}/window`]: '30s',
  })
  expect(annotationsOf('front-door')).not.toHaveProperty([`${prefix}/initial-scale`])
  const { volumes, containers } = serviceOf('front-door').spec.template.spec
  expect([volumes, containers[0].volumeMounts]).toEqual([undefined, undefined])
  expect(containers[0].securityContext).toEqual(
    serviceOf('transfer').spec.template.spec.containers[0].securityContext,
  )
})

function byName(objects: Manifest[]): Record<string, Manifest> {
  return Object.fromEntries(objects.map((object) => [nameOf(object), object]))
}

const same = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other)

/** Returns every value in a document that is neither an object nor a list, as `path: value`. */
function leaves(value: unknown, path: string[] = []): string[] {
  if (typeof value !== 'object' || value === null) return [`${path.join('.')}: ${JSON.stringify(value)}`]
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, [...path, key]))
}
