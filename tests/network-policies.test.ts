import { BlockList, isIPv6 } from 'node:net'
import { databaseContexts } from '../functions/contexts.ts'
import { manifests, type Manifest } from './support/repository.ts'

/** Which pods reach which ports of which others, by the policies on both sides, decided as a network that
 * enforces them does. */

type Labels = Record<string, string>
interface Pod {
  namespace: string
  labels: Labels
}

const pod = (namespace: string, labels: Labels): Pod => ({ namespace, labels })
const context = (name: string): Labels => ({ 'microbank.dev/context': name })
const named = (name: string): Labels => ({ 'app.kubernetes.io/name': name })
const brokerRole = (role: string): Labels => ({ 'eventing.knative.dev/brokerRole': role })
const byContext = (make: (name: string) => [string, Pod]): Record<string, Pod> =>
  Object.fromEntries(databaseContexts.map(make))

/** Pods with the labels that the manifests, Knative and the operators give them. */
const PODS: Record<string, Pod> = {
  ...byContext((name) => [
    `function-${name}`,
    pod('bank', { ...context(name), 'serving.knative.dev/service': 'any' }),
  ]),
  'front-door': pod('bank', { ...context('web'), 'serving.knative.dev/service': 'front-door' }),
  platform: pod('bank', { ...context('platform'), 'serving.knative.dev/service': 'platform' }),
  migrations: pod('bank', context('migrations')),
  smoke: pod('bank', context('smoke')),
  'broker-ingress': pod('bank', brokerRole('ingress')),
  dispatcher: pod('bank', brokerRole('dispatcher')),
  stranger: pod('bank', { app: 'stranger' }),
  ...byContext((name) => [`postgres-${name}`, pod('data', { ...named('postgres'), ...context(name) })]),
  ...byContext((name) => [`backup-${name}`, pod('data', { ...named('postgres-backup'), ...context(name) })]),
  rabbitmq: pod('data', named('rabbitmq')),
  prometheus: pod('monitoring', named('prometheus')),
  meter: pod('monitoring', named('meter')),
  collector: pod('monitoring', named('collector')),
  alertmanager: pod('monitoring', named('alertmanager')),
  grafana: pod('monitoring', named('grafana')),
  jaeger: pod('monitoring', named('jaeger')),
  loki: pod('monitoring', named('loki')),
  'fluent-bit': pod('node-agents', named('fluent-bit')),
  'kube-state-metrics': pod('monitoring', named('kube-state-metrics')),
  kourier: pod('kourier-system', { app: '3scale-kourier-gateway' }),
  activator: pod('knative-serving', { app: 'activator' }),
  autoscaler: pod('knative-serving', { app: 'autoscaler' }),
  'eventing-controller': pod('knative-eventing', { app: 'eventing-controller' }),
  'cert-manager': pod('cert-manager', { app: 'cert-manager' }),
  'topology-operator': pod('rabbitmq-system', named('messaging-topology-operator')),
  dns: pod('kube-system', { 'k8s-app': 'kube-dns' }),
  outsider: pod('default', {}),
}

const policies = manifests('NetworkPolicy')

/** Returns whether a selector selects these labels; an empty one selects all. */
function selects({ matchLabels = {}, matchExpressions = [] }: Manifest, labels: Labels): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values }: Manifest) => {
      if (operator === 'Exists') return key in labels
      if (operator === 'In') return values.includes(labels[key])
      throw new Error(`this test does not know the operator ${operator}`)
    })
  )
}

/** Returns whether the policies of one side allow a connection. A pod that no policy selects allows all. */
function letsThrough(way: 'ingress' | 'egress', own: Pod, other: Pod, port: number): boolean {
  const type = way === 'ingress' ? 'Ingress' : 'Egress'
  const chosen = policies.filter(
    ({ metadata, spec }) =>
      metadata.namespace === own.namespace &&
      spec.policyTypes.includes(type) &&
      selects(spec.podSelector, own.labels),
  )
  const isPeer = ({ namespaceSelector, podSelector = {}, ipBlock }: Manifest): boolean =>
    !ipBlock &&
    selects(podSelector, other.labels) &&
    (namespaceSelector
      ? selects(namespaceSelector, { 'kubernetes.io/metadata.name': other.namespace })
      : other.namespace === own.namespace)
  const hasPort = (known: Manifest): boolean => known.port <= port && port <= (known.endPort ?? known.port)
  const rules: Manifest[] = chosen.flatMap(({ spec }) => spec[way] ?? [])
  return (
    chosen.length === 0 ||
    rules.some((rule) => rule[way === 'ingress' ? 'from' : 'to'].some(isPeer) && rule.ports.some(hasPort))
  )
}

/** Every port that a policy names, and some that no policy names. */
const ports = new Set<number>([22, 443, 8022])
for (const { spec } of policies)
  for (const rule of [...(spec.ingress ?? []), ...(spec.egress ?? [])])
    for (const { port } of rule.ports) ports.add(port as number)

/** Returns which pods reach a pod, by port. */
function reachedBy(name: string): Record<string, string[]> {
  const target = PODS[name]!
  const found: Record<string, string[]> = {}
  for (const port of ports)
    for (const [from, source] of Object.entries(PODS))
      if (letsThrough('egress', source, target, port) && letsThrough('ingress', target, source, port))
        (found[port] ??= []).push(from)
  return found
}

const FUNCTIONS = [...databaseContexts.map((name) => `function-${name}`), 'front-door', 'platform']
const QUEUE_PROXY = {
  8012: ['kourier', 'activator'],
  8013: ['kourier', 'activator'],
  8112: ['kourier', 'activator'],
  9090: ['autoscaler'],
}

test.each(FUNCTIONS)(
  '%s is reached through Kourier and the activator; nobody reads metrics from it',
  (name) => {
    expect(reachedBy(name)).toEqual(QUEUE_PROXY)
  },
)

test.each(databaseContexts)(
  'the %s database is reached by its context’s functions, the migrations, its backups and the meter',
  (name) => {
    expect(reachedBy(`postgres-${name}`)).toEqual({
      5432: [`function-${name}`, 'migrations', `backup-${name}`, 'meter'],
    })
  },
)

test('RabbitMQ is reached by the Broker’s pods, its operator and its own nodes, and by no function', () => {
  const nodes = Object.fromEntries([4369, 25672, 35672].map((port) => [port, ['rabbitmq']]))
  const broker = ['broker-ingress', 'dispatcher']
  expect(reachedBy('rabbitmq')).toEqual({
    ...nodes,
    ...{ 5671: broker, 5672: broker, 15671: ['topology-operator'], 15672: ['topology-operator'] },
    15692: ['prometheus'],
  })
})

test('the Broker takes events from functions that have an outbox and from its own pods, and from no other', () => {
  const senders = [...databaseContexts.map((name) => `function-${name}`), 'broker-ingress', 'dispatcher']
  expect(reachedBy('broker-ingress')).toEqual({ 8080: senders, 9090: ['prometheus'] })
})

test('the meter, Jaeger and a collector take what functions report; Prometheus reads the meter', () => {
  const reporting = [...FUNCTIONS, 'migrations', 'smoke']
  expect(reachedBy('meter')).toEqual({ 4318: reporting, 9464: ['prometheus'] })
  expect(reachedBy('collector')).toEqual({ 4318: reporting })
  expect(reachedBy('jaeger')).toEqual({ 4318: reporting, 8888: ['prometheus'], 16686: ['grafana'] })
})

test('of the functions only the one that tells of traces reads them', () => {
  const reads = (service: string): boolean => {
    const own = pod('bank', { ...context('ledger'), 'serving.knative.dev/service': service })
    return letsThrough('egress', own, PODS.jaeger!, 16686) && letsThrough('ingress', PODS.jaeger!, own, 16686)
  }
  expect([reads('life'), reads('transfer')]).toEqual([true, false])
})

test('logs come from the agents on nodes, which reach nothing else', () => {
  expect(reachedBy('loki')).toEqual({ 3100: ['prometheus', 'grafana', 'fluent-bit'] })
  expect(reachedBy('fluent-bit')).toEqual({ 2020: ['prometheus'] })
  const reached = Object.keys(PODS).filter((name) =>
    Object.values(reachedBy(name)).flat().includes('fluent-bit'),
  )
  expect(reached).toEqual(['loki', 'dns'])
})

test('Prometheus reaches what it scrapes; only what shows metrics asks it, and nobody asks Grafana', () => {
  expect(reachedBy('prometheus')).toEqual({ 9090: ['platform', 'grafana'] })
  expect(reachedBy('grafana')).toEqual({})
  const isReached = (name: string) =>
    Object.entries(reachedBy(name)).flatMap(([port, from]) =>
      from.includes('prometheus') ? [Number(port)] : [],
    )
  for (const [name, port] of Object.entries({
    ...{ meter: 9464, alertmanager: 9093, 'kube-state-metrics': 8080 },
    ...{ 'broker-ingress': 9090, dispatcher: 9090, rabbitmq: 15692 },
    ...{ jaeger: 8888, loki: 3100, 'fluent-bit': 2020 },
    ...{ activator: 9090, autoscaler: 9090, 'eventing-controller': 9090, 'cert-manager': 9402 },
  }))
    expect([name, isReached(name)]).toEqual([name, [port]])
  expect(reachedBy('alertmanager')).toEqual({ 9093: ['prometheus'] })
  expect(reachedBy('kube-state-metrics')).toEqual({ 8080: ['prometheus'] })
})

const OURS = Object.keys(PODS).filter((name) =>
  ['bank', 'data', 'monitoring', 'node-agents'].includes(PODS[name]!.namespace),
)

test('A11: an unknown pod, in the bank’s namespace or elsewhere, reaches no pod of the bank and is reached by none', () => {
  expect(reachedBy('stranger')).toEqual({})
  for (const name of OURS) {
    const callers = Object.values(reachedBy(name)).flat()
    expect([name, callers.filter((from) => ['stranger', 'outsider'].includes(from))]).toEqual([name, []])
  }
})

test('who asks the Kubernetes API or a kubelet reaches private addresses, and none of the internet', () => {
  const ranges = policies.filter(
    ({ metadata, spec }) =>
      metadata.namespace === 'monitoring' && JSON.stringify(spec.egress ?? []).includes('ipBlock'),
  )
  expect(ranges.map(({ metadata, spec }) => [metadata.name, spec.egress[0].ports])).toEqual([
    ['kubernetes-api', [{ port: 443 }, { port: 6443 }]],
    ['kubelets', [{ port: 10250 }]],
  ])
  for (const { spec } of ranges) {
    const blocks = new BlockList()
    for (const { ipBlock } of spec.egress[0].to) {
      const [start, bits] = ipBlock.cidr.split('/') as [string, string]
      blocks.addSubnet(start, Number(bits), isIPv6(start) ? 'ipv6' : 'ipv4')
    }
    for (const address of ['10.96.0.1', '172.18.0.2', '192.168.1.1', '100.64.0.1'])
      expect([address, blocks.check(address)]).toEqual([address, true])
    for (const address of ['8.8.8.8', '169.254.169.254', '127.0.0.1', '172.32.0.1'])
      expect([address, blocks.check(address)]).toEqual([address, false])
  }
})

test('pods of the bank reach outside only Kourier, for calls by name, and DNS', () => {
  const isOurs = (name: string) => OURS.includes(name)
  expect(reachedBy('dns')[53]!.filter(isOurs)).toEqual(OURS)
  const callers = [...FUNCTIONS, 'migrations', 'smoke', 'broker-ingress', 'dispatcher', 'meter']
  const kourier = reachedBy('kourier')
  expect(Object.keys(kourier).filter((port) => kourier[port]!.some(isOurs))).toEqual(['8081', '8444'])
  expect(kourier[8081]!.filter(isOurs)).toEqual(callers)
  expect(Object.values(reachedBy('outsider')).flat().filter(isOurs)).toEqual([])
})

test('of the bank, only the functions that show the platform reach the Kubernetes API', () => {
  const reaching = policies.filter(
    ({ metadata, spec }) =>
      metadata.namespace === 'bank' && JSON.stringify(spec.egress ?? []).includes('6443'),
  )
  expect(reaching.map(({ metadata, spec }) => [metadata.name, spec.podSelector])).toEqual([
    [
      'kubernetes-api',
      {
        matchExpressions: [
          { key: 'serving.knative.dev/service', operator: 'In', values: ['platform', 'platform-stream'] },
        ],
      },
    ],
  ])
})

test('only functions that post to web hooks or send messages reach the internet, and no range of a network’s own', () => {
  const outward = policies.filter(({ spec }) => JSON.stringify(spec.egress ?? []).includes('ipBlock'))
  const PRIVATE = ['10.0.0.0/8', '100.64.0.0/10', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7']
  const isInside = ({ spec }: Manifest): boolean =>
    spec.egress.every(({ to }: Manifest) =>
      to.every(({ ipBlock }: Manifest) => PRIVATE.includes(ipBlock?.cidr)),
    )
  expect(outward.filter(isInside).map(({ metadata }) => `${metadata.namespace} ${metadata.name}`)).toEqual([
    'monitoring kubernetes-api',
    'monitoring kubelets',
    'bank kubernetes-api',
  ])
  const beyond = outward.filter((policy) => !isInside(policy))
  expect(beyond.map(({ metadata }) => `${metadata.namespace} ${metadata.name}`)).toEqual([
    'bank web-hooks',
    'bank send-messages',
  ])
  const { podSelector, egress } = beyond[0]!.spec
  const senders = beyond[1]!.spec
  expect(senders.podSelector.matchExpressions).toEqual([
    { key: 'serving.knative.dev/service', operator: 'In', values: ['send-email', 'send-push', 'send-sms'] },
  ])
  expect(senders.egress).toEqual([{ ...egress[0], ports: [{ port: 443 }, { port: 465 }, { port: 587 }] }])
  expect(podSelector).toEqual({ matchLabels: { 'serving.knative.dev/service': 'deliver-web-hooks' } })
  expect(egress).toHaveLength(1)
  expect(egress[0].ports).toEqual([{ port: 443 }])
  const isReached = (address: string): boolean =>
    egress[0].to.some(({ ipBlock }: Manifest) => {
      const holds = (range: string): boolean => {
        const [start, bits] = range.split('/') as [string, string]
        const list = new BlockList()
        list.addSubnet(start, Number(bits), isIPv6(start) ? 'ipv6' : 'ipv4')
        return list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
      }
      return holds(ipBlock.cidr) && !ipBlock.except.some(holds)
    })
  const inside = [
    '0.0.0.1',
    '10.96.0.1',
    '100.64.0.1',
    '127.0.0.1',
    '169.254.169.254',
    '172.18.0.2',
    '192.168.1.1',
  ]
  const inside6 = ['::1', 'fd00::1', 'fe80::1', '64:ff9b::a00:1', '2002:a00:1::1', '2001:0:a00::1']
  for (const address of [...inside, ...inside6, '224.0.0.1', '255.255.255.255'])
    expect([address, isReached(address)]).toEqual([address, false])
  for (const address of ['8.8.8.8', '93.184.215.14', '2606:4700:4700::1111'])
    expect([address, isReached(address)]).toEqual([address, true])
})
