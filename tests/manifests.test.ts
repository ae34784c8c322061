import { existsSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { databaseContexts } from '../functions/contexts.ts'
import { KINDS, LISTED } from '../functions/platform/kubernetes.ts'
import { METER_CONNECTIONS } from '../knative/postgres/databases.ts'
import { AS_KUSTOMIZE, kustomize } from './support/kubectl.ts'
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
    'docker[.]io/grafana/(grafana|loki)',
    'docker[.]io/jaegertracing/jaeger',
    'docker[.]io/fluent/fluent-bit',
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

  test('kubectl apply, which keeps each object in an annotation of 256 kB, can keep a ConfigMap made from files', () => {
    const maps = kustomizations.flatMap(({ file, configMapGenerator = [] }) =>
      configMapGenerator.map(({ name, files: sources }: Manifest) => {
        const data = sources.map((path: string) => [path, read(join(dirname(file), path))])
        return { name, size: JSON.stringify({ data: Object.fromEntries(data) }).length }
      }),
    )
    expect(maps.map(({ name }) => name)).toContain('grafana-dashboards')
    // Names, labels and hash need little more.
    expect(maps.filter(({ size }) => size > 250_000)).toEqual([])
  })

  test.each(['knative/bank', 'knative/profiles/production/bank'])(
    `%s comes in the order of its files, so that the Broker finds its config, and the domain its claim${AS_KUSTOMIZE}`,
    (folder) => {
      const [{ sortOptions }] = documents(`${folder}/kustomization.yaml`)
      expect(sortOptions).toEqual({ order: 'fifo' })
      const kinds = (objects: Manifest[]) => objects.map(({ kind }) => kind)
      expect(kinds(documents('eventing/broker.yaml'))).toEqual(['RabbitmqBrokerConfig', 'Broker'])
      expect(kinds(documents('knative/bank/domain.yaml'))).toEqual(['ClusterDomainClaim', 'DomainMapping'])
      const rendered = kustomize(folder)
      if (!rendered) return
      const own = ['RabbitmqBrokerConfig', 'Broker', 'Trigger', 'ClusterDomainClaim', 'DomainMapping']
      expect([...new Set(kinds(rendered as Manifest[]))].filter((kind) => own.includes(kind))).toEqual(own)
    },
  )

  test('D12: every manifest is deployed: by a kustomization, by skaffold, or by the scripts of the cluster', () => {
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
    (name, { spec, container }) => {
      const security = { ...spec.securityContext, ...container.securityContext }
      expect(security).toMatchObject({
        // Only root reads the logs of a node.
        ...(name.includes('DaemonSet fluent-bit') ? { runAsUser: 0 } : { runAsNonRoot: true }),
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

  test('only what reads logs has a folder of its node, and can’t write there', () => {
    const onNodes = pods.flatMap(({ object, template: { spec } }) =>
      (spec.volumes ?? []).flatMap(({ name, hostPath }: Manifest) =>
        hostPath ? [{ object, spec, name, path: hostPath.path }] : [],
      ),
    )
    expect(
      onNodes.map(({ object, path }) => [object.metadata.namespace, object.metadata.name, path]),
    ).toEqual([['node-agents', 'fluent-bit', '/var/log']])
    for (const { spec, name } of onNodes)
      for (const { volumeMounts } of spec.containers)
        for (const mount of volumeMounts) if (mount.name === name) expect(mount.readOnly).toBe(true)
    const agents = pods.filter(({ object }) => object.metadata.namespace === 'node-agents')
    expect(agents.map(({ object }) => object.metadata.name)).toEqual(['fluent-bit'])
  })

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
    for (const namespace of ['bank', 'data', 'monitoring', 'node-agents'])
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

describe('the stores of traces and logs', () => {
  const [jaeger] = documents('monitoring/stores/jaeger.yaml')
  const [loki] = documents('monitoring/stores/loki.yaml')
  const [fluentBit] = documents('monitoring/agents/fluent-bit.yaml')
  const sources = documents('monitoring/grafana/stores.yaml')[0].datasources as Manifest[]
  const grafana = containers.find(({ container }) => container.name === 'grafana')!.container
  /** The container's port, by the name and the port of its Service in `monitoring`. */
  function portBehind(url: string): number {
    const { hostname, port } = new URL(url)
    const [, name] = /^([a-z-]+)[.]monitoring[.]svc[.]cluster[.]local$/.exec(hostname) ?? []
    const services = ofKind('Service').filter(({ apiVersion }) => apiVersion === 'v1')
    const { spec } = services.find(({ metadata }) => metadata.name === name)!
    const { targetPort } = spec.ports.find((one: Manifest) => one.port === Number(port))
    const { container } = containers.find((each) => each.container.name === name)!
    return container.ports.find((one: Manifest) => one.name === targetPort).containerPort
  }
  const portOf = (endpoint: string): number => Number(endpoint.split(':')[1])
  const { data: settings } = documents('knative/config.yaml')[0]

  test('functions send spans where Jaeger takes them, and read them where it tells them', () => {
    const { extensions, receivers, service } = jaeger
    expect(portBehind(settings.OTEL_EXPORTER_OTLP_ENDPOINT)).toBe(
      portOf(receivers.otlp.protocols.http.endpoint),
    )
    expect(portBehind(settings.TRACES_URL)).toBe(portOf(extensions.jaeger_query.http.endpoint))
    expect(new URL(settings.TRACES_URL).pathname).toBe('/api/v3/traces/')
    // Everything that is named is there, and all spans go to what is asked.
    expect(Object.keys(extensions)).toEqual(service.extensions)
    const [store] = Object.keys(extensions.jaeger_storage.backends)
    expect(jaeger.exporters.jaeger_storage_exporter.trace_storage).toBe(store)
    expect(extensions.jaeger_query.storage.traces).toBe(store)
    const { container } = containers.find((each) => each.container.name === 'jaeger')!
    const { directories, ephemeral } = extensions.jaeger_storage.backends[store!].badger
    expect(ephemeral).toBe(false)
    for (const folder of Object.values(directories))
      expect(container.volumeMounts.map(({ mountPath }: Manifest) => mountPath)).toContain(
        dirname(folder as string),
      )
    const health = container.ports.find(({ name }: Manifest) => name === 'health').containerPort
    expect(portOf(extensions.healthcheckv2.http.endpoint)).toBe(health)
  })

  test('Jaeger has room for the spans of all processes of the front door, as the guide counts them', () => {
    const [, spans, kilobytes] = /At (\d+) spans of some ([\d.]+) kB/.exec(read('docs/monitoring.md'))!
    const { ttl } = jaeger.extensions.jaeger_storage.backends.spans.badger
    const seconds = Number(/^(\d+)h$/.exec(ttl.spans)![1]) * 3_600
    const needed = Number(settings.TRACES_PER_SECOND_MAX) * Number(spans) * Number(kilobytes) * 1e3 * seconds
    const { spec } = ofKind('StatefulSet').find(({ metadata }) => metadata.name === 'jaeger')!
    const { storage } = spec.volumeClaimTemplates[0].spec.resources.requests
    const door = functions.find(({ metadata }) => metadata.name === 'front-door')!
    const processes = Number(door.spec.template.metadata.annotations['autoscaling.knative.dev/max-scale'])
    expect(processes).toBe(5)
    expect(Number(/^(\d+)Gi$/.exec(storage)![1]) * 2 ** 30).toBeGreaterThan(processes * needed)
  })

  test('the agents send lines where Loki takes them, with few labels, and with the trace’s id', () => {
    const { inputs, filters, outputs } = fluentBit.pipeline
    const [{ host, port, labels, structured_metadata: metadata, match }] = outputs
    expect(portBehind(`http://${host}:${port}`)).toBe(loki.server.http_listen_port)
    expect(labels).toBe('namespace=$namespace, container=$container, service=$service, level=$level')
    expect(metadata).toContain('trace_id=$trace_id')
    expect([...filters, ...outputs].map((one: Manifest) => one.match)).toEqual(Array(3).fill(inputs[0].tag))
    expect(match).toBe('lines')
    const parsers = fluentBit.parsers.map(({ name }: Manifest) => name)
    for (const { parser } of filters) expect(parsers).toContain(parser)
    // As a kubelet names the file of a function's container.
    const file = `/var/log/containers/transfer-00001-deployment-5c9f7d-x2x4p_bank_user-container-${'0f'.repeat(32)}.log`
    expect(RegExp(fluentBit.parsers[0].regex).exec(file)!.groups).toEqual({
      pod: 'transfer-00001-deployment-5c9f7d-x2x4p',
      namespace: 'bank',
      container: 'user-container',
    })
    const read = (inputs[0].path as string).split(',').map((path) => /_([a-z]+)_/.exec(path)![1])
    expect(read).toEqual(['bank', 'data', 'monitoring'])
    // Without this nothing would ever be deleted.
    expect(loki.compactor.retention_enabled && loki.limits_config.retention_period).toBe('168h')
    const { container } = containers.find((each) => each.container.name === 'loki')!
    expect(container.volumeMounts).toContainEqual({ name: 'data', mountPath: loki.common.path_prefix })
  })

  test('Loki reads its log again within its memory, or it would be killed at each start', () => {
    const { container } = containers.find((each) => each.container.name === 'loki')!
    const [, megabytes] = /^(\d+)MB$/.exec(loki.ingester.wal.replay_memory_ceiling)!
    const [, limit] = /^(\d+)Mi$/.exec(container.resources.limits.memory)!
    expect(Number(megabytes)).toBeLessThanOrEqual(Number(limit) / 2)
  })

  test('lines wait an hour for Loki, also those in a file that is put aside, and are sent soon after', () => {
    const { service, pipeline } = fluentBit
    expect(pipeline.inputs[0].rotate_wait).toBe(3_600)
    expect(service['scheduler.cap']).toBeLessThanOrEqual(60)
    expect(pipeline.outputs[0].retry_limit).toBe('no_limits')
  })

  test('Grafana asks both, and leads from a line to its trace and from a span to its lines', () => {
    const uids = sources.map(({ uid }) => uid)
    expect(uids).toEqual(['jaeger', 'loki'])
    const urls = sources.map(({ url }) => {
      const [, variable] = /^\$\{([A-Z]+)\}$/.exec(url)!
      return grafana.env.find(({ name }: Manifest) => name === variable).value as string
    })
    expect(urls.map(portBehind)).toEqual([
      portOf(jaeger.extensions.jaeger_query.http.endpoint),
      loki.server.http_listen_port,
    ])
    const [{ jsonData: ofJaeger }, { jsonData: ofLoki }] = sources as [Manifest, Manifest]
    expect(uids).toContain(ofJaeger.tracesToLogsV2.datasourceUid)
    const [field] = ofLoki.derivedFields
    expect(uids).toContain(field.datasourceUid)
    // As a function writes it.
    const line = JSON.stringify({ level: 'info', trace_id: 'a1'.repeat(16), message: 'moved' })
    expect(RegExp(field.matcherRegex).exec(line)![1]).toBe('a1'.repeat(16))
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

  test('every namespace but that of the agents refuses pods that are not restricted, and all deny traffic that no policy names', () => {
    expect(namespaces.sort()).toEqual(['bank', 'data', 'monitoring', 'node-agents'])
    for (const { metadata } of ofKind('Namespace'))
      expect([metadata.name, metadata.labels['pod-security.kubernetes.io/enforce']]).toEqual([
        metadata.name,
        metadata.name === 'node-agents' ? 'privileged' : 'restricted',
      ])
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
