import { execFile } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { parse, stringify } from 'yaml'

/** What the Prometheus of a cluster scrapes, decided by Prometheus itself of pods as Kubernetes describes
 * them. Debian's has no discovery of Kubernetes built in, so it gets the pods as a list. */

interface Job {
  job_name: string
  kubernetes_sd_configs?: { role: string; namespaces?: { names: string[] } }[]
  authorization?: { credentials_file: string }
}
interface StaticPod {
  targets: string[]
  labels: Record<string, string>
}

const settings = parse(readFileSync(join(__dirname, 'prometheus.yaml'), 'utf8'), { merge: true }) as {
  rule_files: string[]
  scrape_configs: Job[]
}

/** A pod as its discovery describes it: a target for each port that it names, or one without a port. */
function pod(
  namespace: string,
  name: string,
  labels: Record<string, string>,
  ports: [string, number][],
  { node = '', ip = '10.0.0.1' } = {},
) {
  const meta = {
    __meta_kubernetes_namespace: namespace,
    __meta_kubernetes_pod_name: name,
    __meta_kubernetes_pod_ip: ip,
    __meta_kubernetes_pod_phase: 'Running',
    __meta_kubernetes_pod_node_name: node,
    ...Object.fromEntries(
      Object.entries(labels).map(([label, value]) => [
        `__meta_kubernetes_pod_label_${label.replace(/[^a-zA-Z0-9_]/g, '_')}`,
        value,
      ]),
    ),
  }
  if (ports.length === 0) return [{ targets: [ip], labels: meta }]
  const host = ip.includes(':') ? `[${ip}]` : ip
  return ports.map(([port, number]) => ({
    targets: [`${host}:${number}`],
    labels: {
      ...meta,
      __meta_kubernetes_pod_container_port_name: port,
      __meta_kubernetes_pod_container_port_number: String(number),
    },
  }))
}

const named = (name: string) => ({ 'app.kubernetes.io/name': name })
const role = (name: string) => ({ 'eventing.knative.dev/brokerRole': name })
const QUEUE_PROXY: [string, number][] = [
  ['user-port', 8080],
  ['http-queueadm', 8022],
  ['http-autometric', 9090],
  ['http-usermetric', 9091],
]

const IPV6 = { ip: 'fd00:10::1' }

const PODS: StaticPod[] = [
  ...pod(
    'bank',
    'transfer-00001-deployment-5c9f7d-x2x4p',
    { 'serving.knative.dev/service': 'transfer' },
    QUEUE_PROXY,
  ),
  ...pod('bank', 'default-broker-ingress-7d4b9c-abcde', role('ingress'), [['http', 8080]]),
  ...pod('bank', 'deliver-web-hooks-dispatcher-86c5f4d9b-q7k2m', role('dispatcher'), [
    ['http-metrics', 9090],
  ]),
  ...pod('bank', 'default-broker-dlx-dispatcher-6d5b-zzzzz', role('dispatcher-dlq'), [
    ['http-metrics', 9090],
  ]),
  ...pod('data', 'rabbitmq-server-0', named('rabbitmq'), [
    ['amqp', 5672],
    ['management', 15672],
    ['prometheus', 15692],
  ]),
  ...pod('data', 'rabbitmq-server-1', named('rabbitmq'), [['prometheus', 15692]], IPV6),
  ...pod('data', 'ledger-postgres-0', named('postgres'), [['postgres', 5432]]),
  ...pod('monitoring', 'meter-abc', named('meter'), [
    ['reports', 4318],
    ['metrics', 9464],
  ]),
  ...pod('node-agents', 'fluent-bit-abc', named('fluent-bit'), [['http', 2020]], { node: 'node-1' }),
  ...pod('monitoring', 'kube-state-metrics-abc', named('kube-state-metrics'), [['metrics', 8080]]),
  ...pod('bank', 'default-broker-ingress-7d4b9c-fghij', role('ingress'), [['http', 8080]], IPV6),
  ...pod('knative-serving', 'activator-1', { app: 'activator' }, [
    ['metrics', 9090],
    ['http1', 8012],
  ]),
  ...pod('knative-serving', 'activator-2', { app: 'activator' }, [['metrics', 9090]], IPV6),
  ...pod('knative-eventing', 'eventing-controller-1', { app: 'eventing-controller' }, [['metrics', 9090]]),
  ...pod('knative-eventing', 'job-sink-1', { 'sinks.knative.dev/sink': 'job-sink' }, [
    ['http', 8080],
    ['metrics', 9092],
  ]),
  ...pod('cert-manager', 'cert-manager-1', { 'app.kubernetes.io/component': 'controller' }, [
    ['http-metrics', 9402],
    ['http-healthz', 9403],
  ]),
  ...pod('cert-manager', 'cert-manager-webhook-1', { 'app.kubernetes.io/component': 'webhook' }, [
    ['https', 10250],
  ]),
]

/** The settings with pods and nodes from a list, and a token that is there. */
function withoutKubernetes(folder: string): string {
  const token = join(folder, 'token')
  writeFileSync(token, '')
  const jobs = settings.scrape_configs.map(({ kubernetes_sd_configs, authorization, ...job }) => ({
    ...job,
    ...(authorization && { authorization: { credentials_file: token } }),
    ...(kubernetes_sd_configs && {
      static_configs: kubernetes_sd_configs.flatMap(({ role: kind, namespaces }) =>
        kind === 'node'
          ? [{ targets: ['10.0.0.2:10250'] }]
          : PODS.filter(({ labels }) => namespaces!.names.includes(labels.__meta_kubernetes_namespace!)),
      ),
    }),
  }))
  const file = join(folder, 'prometheus.yaml')
  writeFileSync(file, stringify({ ...settings, scrape_configs: jobs }, { aliasDuplicateObjects: false }))
  return file
}

let folder: string
let file: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'microbank-prometheus-'))
  for (const name of settings.rule_files) copyFileSync(join(__dirname, name), join(folder, name))
  file = withoutKubernetes(folder)
})
afterAll(() => rmSync(folder, { recursive: true }))

const promtool = (...args: string[]): Promise<{ stdout: string }> => promisify(execFile)('promtool', args)

/** Resolves with the targets of a job: where each is scraped, and the labels that its series get. */
async function targetsOf(job: string): Promise<string[]> {
  const { stdout } = await promtool('check', 'service-discovery', '--timeout=1s', file, job)
  const found = JSON.parse(stdout) as { labels: Record<string, string> | null }[]
  const targets = found.flatMap(({ labels }) => {
    if (!labels || Object.keys(labels).length === 0) return []
    const { __address__, __scheme__, __metrics_path__, ...rest } = labels
    const own = Object.entries(rest).filter(([label]) => !label.startsWith('__') && label !== 'job')
    return [`${__scheme__}://${__address__}${__metrics_path__} ${JSON.stringify(Object.fromEntries(own))}`]
  })
  return [...new Set(targets)].sort()
}

test('Prometheus takes the settings and the rules that they name', async () => {
  await promtool('check', 'config', file)
})

test('it finds what it scrapes, and no function', async () => {
  const jobs = settings.scrape_configs.map(({ job_name: job }) => job)
  const found = Object.fromEntries(
    await Promise.all(jobs.map(async (job) => [job, await targetsOf(job)] as const)),
  )
  const at = (address: string, labels: object) => `http://${address} ${JSON.stringify(labels)}`
  const rabbitmq = (path: string) =>
    ['10.0.0.1:15692', '[fd00:10::1]:15692'].map((instance, n) =>
      at(instance + path, { instance, pod: `rabbitmq-server-${n}` }),
    )
  const broker = (name: string, trigger?: string, instance = '10.0.0.1:9090') =>
    at(`${instance}/metrics`, { instance, pod: name, ...(trigger && { trigger }) })
  const knative = (namespace: string, name: string, instance = '10.0.0.1:9090') =>
    at(`${instance}/metrics`, { instance, namespace, pod: name })
  expect(found).toEqual({
    // The same series whichever pod it is.
    meter: [at('10.0.0.1:9464/metrics', { instance: 'meter' })],
    prometheus: [at('localhost:9090/metrics', { instance: 'localhost:9090' })],
    alertmanager: [expect.stringMatching('^http://alertmanager.monitoring.svc.cluster.local:9093/metrics ')],
    'kube-state-metrics': [
      expect.stringMatching('^http://kube-state-metrics.monitoring.svc.cluster.local:8080/metrics '),
    ],
    jaeger: [expect.stringMatching('^http://jaeger.monitoring.svc.cluster.local:8888/metrics ')],
    loki: [expect.stringMatching('^http://loki.monitoring.svc.cluster.local:3100/metrics ')],
    'fluent-bit': [at('10.0.0.1:2020/api/v2/metrics/prometheus', { instance: 'node-1' })],
    knative: [
      knative('knative-eventing', 'eventing-controller-1'),
      knative('knative-eventing', 'job-sink-1'),
      knative('knative-serving', 'activator-1'),
      knative('knative-serving', 'activator-2', '[fd00:10::1]:9090'),
    ],
    broker: [
      broker('default-broker-dlx-dispatcher-6d5b-zzzzz', 'default-broker-dlx'),
      broker('default-broker-ingress-7d4b9c-abcde'),
      broker('deliver-web-hooks-dispatcher-86c5f4d9b-q7k2m', 'deliver-web-hooks'),
      broker('default-broker-ingress-7d4b9c-fghij', undefined, '[fd00:10::1]:9090'),
    ],
    rabbitmq: rabbitmq('/metrics'),
    'rabbitmq-queues': rabbitmq('/metrics/detailed'),
    kubelet: ['https://10.0.0.2:10250/metrics {"instance":"10.0.0.2:10250"}'],
    'cert-manager': [at('10.0.0.1:9402/metrics', { instance: '10.0.0.1:9402' })],
  })
})

test('all parts of Eventing are told to use the port where they are scraped', () => {
  const eventing = parse(readFileSync(join(__dirname, '../../knative/cluster/eventing-config.yaml'), 'utf8'))
  expect(eventing['config-observability']).toMatchObject({ 'metrics-endpoint': ':9090' })
})

test('it may look for pods in the namespaces where it looks', () => {
  const namespaces = settings.scrape_configs.flatMap(({ kubernetes_sd_configs: found = [] }) =>
    found.flatMap(({ namespaces: own }) => own?.names ?? []),
  )
  const access = readFileSync(join(__dirname, '../cluster/access.yaml'), 'utf8')
  const allowed = [
    ...access.matchAll(/kind: RoleBinding\nmetadata: \{ name: prometheus, namespace: (\S+) \}/g),
  ]
  expect(allowed.map(([, namespace]) => namespace).sort()).toEqual([...new Set(namespaces)].sort())
})
