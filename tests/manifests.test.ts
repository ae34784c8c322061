import { existsSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { databaseContexts } from '../functions/contexts.ts'
import { KINDS, LISTED } from '../functions/platform/kubernetes.ts'
import { METER_CONNECTIONS } from '../knative/postgres/databases.ts'
import { hasKubernetesType, typeErrors } from './support/kubernetes-types.ts'
import { documents, everything, files, operations, read, ROOT, type Manifest } from './support/repository.ts'

/** The manifests for a cluster: each object by itself, and compared with the others and the code. */

const all = everything()
const ofKind = (...kinds: string[]) => all.filter(({ kind }) => kinds.includes(kind))
const functions = ofKind('Service').filter(({ apiVersion }) => apiVersion.startsWith('serving.knative.dev/'))
/** Images that others make, each by a version. */
const OTHER_IMAGES = new RegExp(
  [
    'postgres',
    'ghcr[.]io/versity/versitygw',
    'docker[.]io/axllent/mailpit',
    'quay[.]io/prometheus/(prometheus|alertmanager)',
    'registry[.]k8s[.]io/kube-state-metrics/kube-state-metrics',
    'docker[.]io/grafana/grafana',
  ]
    .map((name) => `^${name}:[v0-9]`)
    .join('|'),
)

const named = ({ kind, metadata }: Manifest): string => `${kind} ${metadata?.name}`

/** All objects that make pods, with their pod specs. */
const pods = [...functions, ...ofKind('StatefulSet', 'Deployment', 'DaemonSet', 'Job', 'CronJob')].map(
  (object) => ({
    name: `${object.file} ${named(object)}`,
    object,
    template: (object.spec.jobTemplate?.spec ?? object.spec).template as Manifest,
  }),
)
const containers = pods.flatMap(({ name, template: { spec } }) =>
  [...(spec.initContainers ?? []), ...spec.containers].map((container: Manifest) => ({
    name,
    spec,
    container,
  })),
)

test('every object of Kubernetes itself fits the type of its kind', () => {
  const own = all.filter(hasKubernetesType)
  expect(own.length).toBeGreaterThan(10)
  expect(typeErrors(own)).toEqual([])
})

test('an unknown field and a wrong type are errors', () => {
  const [policy] = ofKind('NetworkPolicy')
  const wrong = (spec: object): Manifest => ({ ...policy, spec: { ...policy.spec, ...spec } })
  expect(typeErrors([wrong({ podSelectr: {} }), wrong({ policyTypes: 'Ingress' })])).toEqual([
    expect.stringMatching(/NetworkPolicy \S+: .*podSelectr/),
    expect.stringMatching(/NetworkPolicy \S+: .*string/),
  ])
})

test('a function that counts the hops to its client is always reached through the activator, as TRUSTED_HOPS assumes', async () => {
  const counting = (await operations()).filter(({ needs }) => needs?.includes('FRONT_DOOR_KEY'))
  const asking = functions.filter(({ metadata }) => counting.some(({ name }) => name === metadata.name))
  expect(asking.map(({ metadata }) => metadata.name)).toEqual([
    'front-door',
    'login',
    'register',
    'reset-password',
  ])
  for (const { metadata, spec } of asking)
    expect([
      metadata.name,
      spec.template.metadata.annotations['autoscaling.knative.dev/target-burst-capacity'],
    ]).toEqual([metadata.name, '-1'])
})

describe('files', () => {
  const kustomizations = ofKind('Kustomization')
  /** Returns the files and folders that a kustomization deploys or patches with. */
  const pathsIn = ({ resources = [], patches = [] }: Manifest): string[] => [
    ...resources,
    ...patches.flatMap(({ path }: Manifest) => path ?? []),
  ]

  test('a kustomization names only files and folders that exist', () => {
    for (const { file, configMapGenerator = [], ...rest } of kustomizations)
      for (const path of [...pathsIn(rest), ...configMapGenerator.flatMap((map: Manifest) => map.files)])
        expect([file, path, existsSync(join(ROOT, dirname(file), path))]).toEqual([file, path, true])
  })

  test('every manifest is deployed: by a kustomization, by skaffold, or by the scripts of the cluster', () => {
    const listed = new Set(
      kustomizations.flatMap(({ file, ...rest }) => pathsIn(rest).map((path) => join(dirname(file), path))),
    )
    const text =
      read('skaffold.yaml') +
      files(/^knative\/cluster\/.*\.(sh|ts)$/)
        .map(read)
        .join('')
    const deployed = (file: string) =>
      listed.has(file) ||
      text.includes(file) ||
      text.includes(`$here/${file.slice('knative/cluster/'.length)}`)
    const objects = all.filter(({ kind }) => kind !== 'Kustomization')
    expect([...new Set(objects.map(({ file }) => file))].filter((file) => !deployed(file))).toEqual([])
  })

  test('skaffold, which removes on Ctrl-C what it deploys, deploys no namespace, and no database that would take its volume along', () => {
    const listed = kustomizations.flatMap(({ file, resources = [] }) =>
      resources.map((path: string) => join(dirname(file), path)),
    )
    for (const { file } of ofKind('Namespace', 'Secret')) expect(listed).not.toContain(file)
    const databases = ofKind('StatefulSet').filter(({ spec }) => spec.volumeClaimTemplates)
    expect(databases.length).toBeGreaterThan(0)
    for (const { spec } of databases)
      expect(spec.persistentVolumeClaimRetentionPolicy.whenDeleted).toBe('Retain')
  })

  test('skaffold.yaml names only files that exist', () => {
    const paths: string[] = []
    const collect = (value: unknown): void => {
      if (typeof value === 'string' && /^(knative|eventing|monitoring)\/|^Dockerfile$/.test(value))
        paths.push(value)
      else if (typeof value === 'object' && value !== null) Object.values(value).forEach(collect)
    }
    documents('skaffold.yaml').forEach(collect)
    expect(paths.length).toBeGreaterThan(8)
    expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([])
    for (const path of paths.filter((each) => statSync(join(ROOT, each)).isDirectory()))
      expect(readdirSync(join(ROOT, path))).toContain('kustomization.yaml')
  })
})

describe('pods', () => {
  test.each(
    containers.map((each) => [`${each.name}, ${each.container.name ?? 'its container'}`, each] as const),
  )(
    '%s is not root, can’t write its root file system, and has no more rights or memory than it needs',
    (_name, { spec, container }) => {
      const security = { ...spec.securityContext, ...container.securityContext }
      expect(security).toMatchObject({
        runAsNonRoot: true,
        readOnlyRootFilesystem: true,
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
        seccompProfile: { type: 'RuntimeDefault' },
      })
      expect(container.resources).toMatchObject({
        requests: { memory: expect.anything() },
        limits: { memory: expect.anything() },
      })
    },
  )

  test('no pod has a token of its service account, but for two that watch', () => {
    const holders = pods.filter(({ template }) => template.spec.automountServiceAccountToken !== false)
    expect(
      holders.map(({ object, template }) => [object.metadata.name, template.spec.serviceAccountName]),
    ).toEqual([
      ['kube-state-metrics', 'kube-state-metrics'],
      ['prometheus', 'prometheus'],
    ])
    // The Broker's pods, which its controller makes, don't state it. The service account that they run as
    // does.
    for (const namespace of ['bank', 'data', 'monitoring'])
      expect(ofKind('ServiceAccount')).toContainEqual(
        expect.objectContaining({
          metadata: { name: 'default', namespace },
          automountServiceAccountToken: false,
        }),
      )
  })

  test('only the functions that show the platform can read the Kubernetes API, and no more of it than they show', () => {
    const mounts = ({ template: { spec } }: (typeof pods)[number]): boolean =>
      JSON.stringify(spec.volumes ?? []).includes('serviceAccountToken')
    const ofPlatform = ['platform', 'platform-stream']
    const named = (chosen: typeof pods) => chosen.map(({ object }) => object.metadata.name).sort()
    expect(named(pods.filter(mounts))).toEqual(ofPlatform)
    expect(named(pods.filter(({ template }) => template.spec.serviceAccountName === 'platform'))).toEqual(
      ofPlatform,
    )
    const [role, ...others] = ofKind('Role').filter(({ metadata }) => metadata.namespace === 'bank')
    expect([role.metadata.name, others]).toEqual(['platform', []])
    const followed = Object.entries(KINDS).map(([kind, api]) => `get,list,watch ${api.split('/')[0]} ${kind}`)
    const listed = Object.keys(LISTED).map((kind) => `list  ${kind}`)
    const allowed = role.rules.flatMap(({ apiGroups: [group], resources, verbs }: Manifest) => {
      return resources.map((kind: string) => `${verbs} ${group} ${kind}`)
    })
    expect(allowed.sort()).toEqual([...followed, ...listed].sort())
    const [binding] = ofKind('RoleBinding').filter(
      ({ metadata: { namespace, name } }) => namespace === 'bank' && name === 'platform',
    )
    expect(binding).toMatchObject({
      roleRef: { kind: 'Role', name: 'platform' },
      subjects: [{ kind: 'ServiceAccount', name: 'platform', namespace: 'bank' }],
    })
  })

  test('who has a token may look, and neither change anything nor read a Secret', () => {
    const roles = ofKind('ClusterRole', 'Role')
    const rules = roles.flatMap(({ rules: own }) => own as Manifest[])
    expect(rules.length).toBeGreaterThan(0)
    for (const { apiGroups, resources, verbs } of rules) {
      expect(verbs.filter((verb: string) => !['get', 'list', 'watch'].includes(verb))).toEqual([])
      for (const name of [...apiGroups, ...resources]) expect(name).not.toMatch(/[*]|^secrets|^configmaps/)
    }
    const known = ofKind('ServiceAccount').map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)
    for (const { roleRef, subjects } of ofKind('RoleBinding', 'ClusterRoleBinding')) {
      expect(roles.map(({ metadata }) => metadata.name)).toContain(roleRef.name)
      for (const { namespace, name } of subjects) expect(known).toContain(`${namespace}/${name}`)
    }
  })

  test('the bank’s image is the one that skaffold builds', () => {
    const [artifact] = documents('skaffold.yaml').flatMap(({ build }) => build?.artifacts ?? [])
    // For this prefix Knative asks no registry to resolve a tag.
    expect(artifact.image).toMatch(/^(dev|kind|ko)\.local\//)
    for (const { name, container } of containers)
      if (!OTHER_IMAGES.test(container.image)) expect([name, container.image]).toEqual([name, artifact.image])
  })
})

test('skaffold verify, which replaces the command and arguments of the Job, runs the smoke test as the Job does', () => {
  const [test] = documents('skaffold.yaml').flatMap(({ verify }) => verify ?? [])
  const [job] = documents(test.executionMode.kubernetesCluster.jobManifestPath)
  expect(job.spec.template.spec.containers[0]).toMatchObject(test.container)
  expect(Object.keys(test.container)).toEqual(expect.arrayContaining(['image', 'command', 'args']))
})

describe('isolation', () => {
  const namespaces = ofKind('Namespace').map(({ metadata }) => metadata.name as string)

  test('every namespace refuses pods that are not restricted, and denies all traffic that no policy names', () => {
    expect(namespaces.sort()).toEqual(['bank', 'data', 'monitoring'])
    for (const { metadata } of ofKind('Namespace'))
      expect(metadata.labels['pod-security.kubernetes.io/enforce']).toBe('restricted')
    const denying = ofKind('NetworkPolicy').filter(
      ({ spec }) => JSON.stringify(spec) === '{"podSelector":{},"policyTypes":["Ingress","Egress"]}',
    )
    expect(denying.map(({ metadata }) => metadata.namespace).sort()).toEqual(namespaces)
  })

  test('a function has the label of its context, which admits it to the database of that context only', async () => {
    const contextOf = new Map((await operations()).map(({ name, context }) => [name, context as string]))
    for (const { metadata, spec } of functions)
      expect([metadata.name, spec.template.metadata.labels]).toEqual([
        metadata.name,
        { 'microbank.dev/context': contextOf.get(metadata.name) },
      ])
    for (const context of databaseContexts) {
      const policies = ofKind('NetworkPolicy').filter(
        ({ metadata }) => metadata.name === `${context}-database`,
      )
      expect([context, policies.map(({ metadata }) => metadata.namespace).sort()]).toEqual([
        context,
        ['bank', 'data'],
      ])
      for (const { spec } of policies) {
        const both = JSON.stringify(spec)
        expect(both).toContain(`"values":["${context}","migrations"]`)
        for (const other of contextOf.values())
          if (other !== context) expect(both).not.toContain(`"${other}"`)
      }
    }
  })

  test('no secret is in the repository', () => {
    expect(ofKind('Secret')).toEqual([])
    for (const { name, container } of containers)
      for (const { name: variable, value } of container.env ?? [])
        if (/PASSWORD|SECRET|TOKEN|KEY|_URL/.test(variable))
          expect([name, variable, value]).toEqual([name, variable, undefined])
  })
})

test('a database allows as many connections as all functions at full scale may open', () => {
  const [, limit] = /max_connections = (\d+)/.exec(read('knative/postgres/database/postgresql.conf'))!
  const perPod = Number(
    /DATABASE_POOL_MAX: \{[^}]*fallback: '(\d+)'/.exec(read('functions/host/config.ts'))![1],
  )
  const opened: Record<string, number> = {}
  for (const { spec } of functions) {
    const { labels, annotations } = spec.template.metadata
    const context = labels['microbank.dev/context'] as string
    opened[context] =
      (opened[context] ?? 0) + perPod * Number(annotations['autoscaling.knative.dev/max-scale'])
  }
  // Ten are left for migrations, backups and people who look inside.
  for (const count of Object.values(opened))
    expect(count + METER_CONNECTIONS).toBeLessThan(Number(limit) - 10)
})
