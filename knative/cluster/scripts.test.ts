import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import { databaseContexts } from '../../functions/contexts.ts'
import { everything, files, read, ROOT, type Manifest } from '../../tests/support/repository.ts'

/** The scripts run for real. docker, kind, kubectl and node are stand-ins that record their calls. */

const SYSTEM = ['bash', 'dirname', 'basename', 'sed', 'grep', 'awk', 'sleep', 'date', 'env']
/**
 * What the stand-ins answer to calls whose output a script reads. A call that matches $FAIL_ON fails, once or
 * always.
 */
const STAND_IN = `#!/usr/bin/env bash
call="$(basename "$0") $*"
echo "$call" >> "$RECORD"
if [[ -n \${FAIL_ON:-} && $call == *"$FAIL_ON"* && ! -e $RECORD.failed ]]; then
  [[ -z \${FAIL_ONCE:-} ]] || echo > "$RECORD.failed"
  exit 1
fi
case $call in
  'kind get clusters') printf '%s' "\${CLUSTERS:-}" ;;
  'docker info --format {{.NCPU}}') echo "\${CPUS:-4}" ;;
  *'get nodes '*allocatable.cpu) printf '%b' "\${CPUS:-4}" ;;
  'kubectl patch configmap '*) echo "\${PATCHED:-}" ;;
  'kubectl get --raw /version') echo '  "minor": "'"\${MINOR:-36}"'",' ;;
  *'get job '*) printf '%s' "\${JOB:-SuccessCriteriaMet Complete}" ;;
  *'get deployments '*custom-columns*) printf 'Deployment controller 1 1 %s\\n' "\${CONTROLLER:-True}" ;;
  *'get daemonsets --namespace node-agents '*custom-columns*) printf 'DaemonSet fluent-bit 3 %s\\n' "\${AGENTS:-3}" ;;
  *'get statefulsets --namespace data '*custom-columns*) printf 'StatefulSet ledger-postgres 1 %s\\n' "\${DATABASE:-1}" ;;
  *'get ksvc,brokers,triggers,pingsources '*custom-columns*) printf '%b' "\${STATES-2 2 True\\n}" | sed 's/^/Service transfer /' ;;
  *'get ksvc,'*custom-columns*) printf 'Service transfer 3 3 True\\nTrigger notify 1 %s\\n' "\${TRIGGER:-1 True}" ;;
  *'get ksvc '*'--output name') printf '%s' "\${FUNCTIONS-service.serving.knative.dev/transfer}" ;;
esac
`

const PRESENT_KEYS =
  /^(request-)?metrics-(protocol|endpoint|export-interval)$|^tracing-(protocol|endpoint|sampling-rate)$|^runtime-profiling$/

const sum = (numbers: number[]): number => numbers.reduce((total, each) => total + each, 0)

let folder: string
const ran = () => readFileSync(join(folder, 'record'), 'utf8').trimEnd().split('\n')
const calls = (part: string) => ran().filter((call) => call.includes(part))

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'microbank-scripts-'))
  writeFileSync(join(folder, 'record'), '')
  for (const name of SYSTEM) {
    const { stdout } = spawnSync('bash', ['-c', `command -v ${name}`], { encoding: 'utf8' })
    symlinkSync(stdout.trim(), join(folder, name))
  }
  provide('docker', 'kind', 'kubectl', 'node')
})
afterEach(() => rmSync(folder, { recursive: true }))

function provide(...tools: string[]): void {
  for (const tool of tools) writeFileSync(join(folder, tool), STAND_IN, { mode: 0o755 })
}

function run(script: string, { args = [] as string[], env = {} as Record<string, string> } = {}) {
  const own = {
    PATH: folder,
    RECORD: join(folder, 'record'),
    RETRY_SECONDS: '0',
    WAIT_TIMEOUT: '60s',
    ...env,
  }
  const { status, stdout, stderr } = spawnSync('bash', [join(ROOT, 'knative/cluster', script), ...args], {
    env: own,
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

test('every shell script passes shellcheck', () => {
  const scripts = files(/\.sh$/)
  const { status, stdout, error } = spawnSync('shellcheck', ['--external-sources', ...scripts], {
    cwd: ROOT,
    encoding: 'utf8',
  })
  if (error)
    throw new Error('expected shellcheck on the PATH (Debian and Homebrew have it)', { cause: error })
  expect([scripts.length > 0, stdout, status]).toEqual([true, '', 0])
})

describe('cluster:up', () => {
  const INSTALLED = [
    ...['cert-manager.yaml', 'cluster-operator.yml', 'messaging-topology-operator-with-certmanager.yaml'],
    ...['serving-crds.yaml', 'serving-core.yaml', 'kourier.yaml'],
    ...['eventing-crds.yaml', 'eventing-core.yaml', 'rabbitmq-broker.yaml'],
  ]
  const installed = () => ran().flatMap((call) => /releases\/download\/\S+\/(\S+)$/.exec(call)?.[1] ?? [])

  test.each([
    ['Docker', [], '3', 6000],
    ['the cluster', ['--here'], '1930m\\n1\\n', 2930],
  ])('warns if %s has too few processors, and continues', (_, args, CPUS, has) => {
    const { status, stderr } = run('up.sh', { args, env: { CPUS } })
    expect(status).toBe(0)
    expect(stderr).toContain(`warning: this cluster has only ${has} thousandths of a processor,`)
    expect(installed()).toEqual(INSTALLED)
  })

  /** Thousandths of a processor. */
  const requestOf = ({ requests }: Manifest = {}): number => {
    const text = String(requests?.cpu ?? 0)
    return text.endsWith('m') ? parseInt(text, 10) : Number(text) * 1000
  }

  test('wants the processors that what is installed requests', () => {
    // As the API server counted it: Kubernetes' own parts on kind, Serving, Kourier, the RabbitMQ operators,
    // Eventing.
    const platform = 1150 + 800 + 200 + 500 + 570
    const objects = everything()
    const ofKind = (...kinds: string[]) => objects.filter(({ kind }) => kinds.includes(kind))
    // A Postgres for each context, and a pod on each of kind's workers.
    const copies = ({ kind, file }: Manifest): number =>
      kind === 'DaemonSet' ? 2 : file.startsWith('knative/postgres/') ? databaseContexts.length : 1
    const pods = ofKind('StatefulSet', 'Deployment', 'DaemonSet').map(
      (object) =>
        copies(object) *
        sum(object.spec.template.spec.containers.map(({ resources }: Manifest) => requestOf(resources))),
    )
    const rabbitmq = ofKind('RabbitmqCluster').map(({ spec }) => requestOf(spec.resources))
    // eventing-rabbitmq makes two dispatchers for each Trigger, and two pods for the Broker, of 50m each.
    const broker = (2 * ofKind('Trigger').length + 2) * 50
    // The front door's pod, with queue-proxy.
    const requested = platform + sum(pods) + sum(rabbitmq) + broker + 75
    const wanted = Number(/^REQUESTED=(\d+)$/m.exec(read('knative/cluster/up.sh'))?.[1])
    expect([wanted >= requested, wanted - requested < 500]).toEqual([true, true])
  })

  test('C4: makes a cluster, then installs each part in order and waits for it', () => {
    const { status, stdout, stderr } = run('up.sh')
    expect([status, stderr]).toEqual([0, ''])
    expect(installed()).toEqual(INSTALLED)
    const order = ran().flatMap(
      (call) => /kind create|use-context kind|releases|wait .*|secrets.mjs/.exec(call)?.[0] ?? [],
    )
    expect(order.slice(0, 4)).toEqual([
      ...['kind create', 'use-context kind', 'releases'],
      'wait --namespace cert-manager --for=condition=Available deployment --all --timeout 300s',
    ])
    expect(order.at(-1)).toBe('secrets.mjs')
    expect(calls('kubectl wait')).toHaveLength(7)
    for (const part of ['cert-manager', 'RabbitMQ', 'Serving', 'Kourier', 'Eventing', 'Broker'])
      expect(stdout).toMatch(new RegExp(`==> installing .*${part}`))
  })

  test('installs exactly the versions in versions.env', () => {
    run('up.sh')
    const versions = [...read('knative/cluster/versions.env').matchAll(/^\w+=(\S+)$/gm)].map(
      ([, version]) => version,
    )
    const asked = calls('releases/download').map((call) => /download\/([^/]+)\//.exec(call)![1])
    for (const version of asked) expect(versions).toContain(version)
  })

  test('gives each ConfigMap of Serving its settings', () => {
    run('up.sh')
    const patched = ran().join('\n')
    for (const setting of [
      'ingress-class: kourier',
      'secure-pod-defaults: enabled',
      "allow-zero-initial-scale: 'true'",
    ])
      expect(patched).toContain(setting)
    expect(patched).toMatch(/config-gc .*data:\n {2}retain-since-create-time: disabled\n/)
    expect(patched).toContain('127.0.0.1.sslip.io')
    // The mapped port leads to a machine without a gateway, so with that policy nobody would answer.
    expect(calls('kourier-load-balancer.yaml')).toEqual([])
    expect(patched).toMatch(
      /config-kourier .*data:\n {2}use-remote-address: 'true'\n {2}trusted-hops-count: '0'/,
    )
    expect(calls('kubectl patch configmap')).toHaveLength(8)
  })

  test('turns on the metrics of Knative by the keys that it reads today, and restarts what reads them at its start', () => {
    run('up.sh')
    const asked = ran().join('\n')
    for (const namespace of ['knative-serving', 'knative-eventing']) {
      expect(asked).toMatch(
        new RegExp(
          `config-observability --namespace ${namespace} .*data:\\n {2}metrics-protocol: prometheus`,
        ),
      )
      expect(calls(`rollout restart deployment --namespace ${namespace}`)).toHaveLength(1)
    }
    expect(asked).toContain('request-metrics-protocol: none')
    for (const file of ['serving', 'eventing']) {
      const { 'config-observability': settings } = parse(read(`knative/cluster/${file}-config.yaml`)) as {
        'config-observability': Record<string, string>
      }
      // Since 1.19, all keys of OpenCensus and Zipkin are ignored without a word.
      expect(Object.keys(settings).filter((key) => !PRESENT_KEYS.test(key))).toEqual([])
    }
    expect(PRESENT_KEYS.test('metrics.backend-destination')).toBe(false)
  })

  test('restarts nothing if nothing changed', () => {
    run('up.sh', { env: { PATCHED: 'configmap/config-observability patched (no change)' } })
    expect(calls('rollout restart')).toEqual([])
  })

  test('keeps an existing cluster, so it may be run again', () => {
    expect(run('up.sh', { env: { CLUSTERS: 'other\nmicrobank\n' } }).status).toBe(0)
    expect(calls('kind create')).toEqual([])
    expect(installed()).toEqual(INSTALLED)
  })

  test('retries what was refused once', () => {
    const { status, stderr } = run('up.sh', { env: { FAIL_ON: 'serving-core.yaml', FAIL_ONCE: 'yes' } })
    expect([status, stderr]).toEqual([0, expect.stringContaining('that failed; again')])
    expect(calls('serving-core.yaml')).toHaveLength(2)
  })

  test('stops at the first part that can’t be installed, and says which', () => {
    const { status, stderr } = run('up.sh', { env: { FAIL_ON: 'serving-core.yaml' } })
    expect([status, stderr]).toEqual([
      1,
      expect.stringContaining('up.sh: gave up after five tries: kubectl apply'),
    ])
    expect(installed().at(-1)).toBe('serving-core.yaml')
  })

  test('names every missing tool and where to get it, before it does anything', () => {
    for (const tool of ['docker', 'kind']) rmSync(join(folder, tool))
    const { status, stderr } = run('up.sh')
    expect(status).toBe(1)
    expect(stderr).toMatch(/these tools are missing:\n {2}docker {2}\(.*docs.docker.com.*\)\n {2}kind {2}\(/)
    expect(ran()).toEqual([''])
  })

  test('says so if Docker does not answer', () => {
    const { status, stderr } = run('up.sh', { env: { FAIL_ON: 'docker info' } })
    expect([status, stderr]).toEqual([1, expect.stringContaining('does not answer; start it')])
    expect(calls('kind')).toEqual([])
  })

  test('with --here, prepares the cluster that kubectl points to, without kind', () => {
    for (const tool of ['docker', 'kind']) rmSync(join(folder, tool))
    expect(run('up.sh', { args: ['--here'] }).status).toBe(0)
    expect(installed()).toEqual(INSTALLED)
    expect(ran().join('\n')).not.toContain('sslip.io')
    // Nothing between the client and Kourier may replace the client's address.
    expect(calls('kourier-load-balancer.yaml')).toHaveLength(1)
    expect(calls('kourier-node-port.yaml')).toEqual([])
  })

  test('refuses a Kubernetes that is too old before it installs anything', () => {
    const { status, stderr } = run('up.sh', { args: ['--here'], env: { MINOR: '35' } })
    expect([status, stderr]).toEqual([1, expect.stringContaining('is Kubernetes 1.35; the bank needs 1.36')])
    expect(installed()).toEqual([])
  })
})

test('cluster:down removes the bank’s cluster and no other, and may be run again', () => {
  expect(run('down.sh', { env: { CLUSTERS: 'other\nmicrobank\n' } }).status).toBe(0)
  expect(calls('delete')).toEqual(['kind delete cluster --name microbank'])
  expect(run('down.sh', { env: { CLUSTERS: 'other\n' } })).toMatchObject({ status: 0, stderr: '' })
  expect(calls('delete')).toHaveLength(1)
})

test('cluster:status fails if a part is not ready, and names it', () => {
  expect(run('status.sh')).toMatchObject({ status: 0, stdout: expect.stringContaining('all of it is ready') })
  const amiss = (env: Record<string, string>) => run('status.sh', { env }).stderr
  expect(run('status.sh', { env: { TRIGGER: '1 False' } }).status).toBe(1)
  expect(amiss({ TRIGGER: '1 False' })).toBe('status.sh: not ready: Trigger/notify\n')
  expect(amiss({ TRIGGER: '<none> True' })).toBe('status.sh: not ready: Trigger/notify\n')
  expect(amiss({ AGENTS: '2' })).toBe('status.sh: not ready: DaemonSet/fluent-bit\n')
  expect(amiss({ DATABASE: '<none>' })).toBe('status.sh: not ready: StatefulSet/ledger-postgres\n')
  expect(amiss({ CONTROLLER: 'False' })).toContain('not ready: Deployment/controller')
  expect(amiss({ FUNCTIONS: '' })).toContain('not on this cluster yet')
  expect(amiss({ FAIL_ON: '/readyz' })).toContain('no cluster answers')
  expect(amiss({ FAIL_ON: 'get crd' })).toContain('cluster:up installs it')
})

describe('cluster:restore', () => {
  const args = ['ledger', 'ledger-20260821T021700Z.dump']

  test('runs the restore as a Job like the backup’s, then restarts the context’s functions', () => {
    expect(run('restore.sh', { args })).toMatchObject({ status: 0, stderr: '' })
    expect(calls('--from cronjob/ledger-backup')).toHaveLength(1)
    expect(ran().join('\n')).toContain('"/etc/postgresql/files/restore.sh", "ledger-20260821T021700Z.dump"')
    expect(calls('delete pods').join()).toContain('microbank.dev/context=ledger,')
  })

  test('says so if the restore fails, and leaves the functions alone', () => {
    const { status, stderr } = run('restore.sh', { args, env: { JOB: 'FailureTarget Failed' } })
    expect([status, stderr]).toEqual([1, expect.stringContaining('the restore failed')])
    expect(calls('delete pods')).toEqual([])
  })

  test('also says so if its pod and its output are gone', () => {
    const { stderr } = run('restore.sh', { args, env: { JOB: 'Failed', FAIL_ON: 'kubectl logs' } })
    expect(stderr).toContain('the restore failed')
  })

  test.each([[[]], [['ledger']], [['ledger', 'x"]; rm']], [['../ledger', 'latest']]])(
    'refuses %j',
    (wrong) => {
      expect(run('restore.sh', { args: wrong })).toMatchObject({
        status: 1,
        stderr: expect.stringContaining('expected a context'),
      })
      expect(ran()).toEqual([''])
    },
  )
})

describe('the hooks of skaffold', () => {
  test('each waits for its part, on the cluster that skaffold deploys to', () => {
    for (const part of ['data', 'clear-migrations', 'migrations', 'monitoring', 'bank'])
      expect([
        part,
        run('wait.sh', { args: [part], env: { SKAFFOLD_KUBE_CONTEXT: 'staging' } }).status,
      ]).toEqual([part, 0])
    for (const call of ran()) expect(call).toMatch(/^kubectl --context staging /)
    for (const what of [
      'statefulset/ledger-postgres',
      'statefulset/meter',
      'statefulset/prometheus',
      'namespace monitoring statefulset/jaeger',
      'namespace monitoring statefulset/loki',
      'namespace node-agents daemonset/fluent-bit',
      'rabbitmqcluster/rabbitmq',
      'condition=Ready operatorpolicies',
    ])
      expect(calls(what)).toHaveLength(1)
    // All are ready, so one question is enough.
    expect(calls('get ksvc,brokers,triggers,pingsources')).toHaveLength(1)
    expect(calls('bank --for=condition=Ready')).toEqual([])
  })

  test.each(['2 1 True', '1 1 False', '1 1', ''])(
    'each object of the bank is waited for if one shows %j: generation, observed generation, Ready',
    (state) => {
      const { status } = run('wait.sh', { args: ['bank'], env: { STATES: `3 3 True\n${state}\n` } })
      expect(status).toBe(0)
      for (const what of ['broker default', 'ksvc --all', 'trigger --all', 'pingsource --all'])
        expect(calls(`condition=Ready ${what}`)).toHaveLength(1)
    },
  )

  test('removes the migrations of an earlier run, so that each run applies its own', () => {
    run('wait.sh', { args: ['clear-migrations'], env: { SKAFFOLD_RUN_ID: 'tuesday' } })
    expect(ran()).toEqual([
      expect.stringMatching(/^kubectl delete jobs .*name=migrations .*skaffold.dev\/run-id!=tuesday$/),
    ])
  })

  test('failed migrations end the deployment at once, and their output is shown', () => {
    const { status, stderr } = run('wait.sh', { args: ['migrations'], env: { JOB: 'FailureTarget Failed' } })
    expect([status, stderr]).toEqual([1, expect.stringContaining('the migrations did not succeed')])
    expect(calls('kubectl logs job/migrations')).toHaveLength(1)
  })

  test('a part that is not ready in time is shown with its reason', () => {
    const env = { STATES: '', FAIL_ON: 'condition=Ready trigger' }
    const { status, stderr } = run('wait.sh', { args: ['bank'], env })
    expect([status, stderr]).toEqual([1, expect.stringContaining('not every trigger is ready')])
    expect(calls('kubectl get trigger')).toHaveLength(1)
  })

  test('a database that does not start is shown with the rest of its namespace', () => {
    const { status, stderr } = run('wait.sh', { args: ['data'], env: { FAIL_ON: 'rollout status' } })
    expect([status, stderr]).toEqual([1, expect.stringContaining('the data is not ready')])
    expect(calls('kubectl get pods,persistentvolumeclaims,operatorpolicies')).toHaveLength(1)
  })

  test('a part of the monitoring that does not start is named', () => {
    const { status, stderr } = run('wait.sh', { args: ['monitoring'], env: { FAIL_ON: 'statefulset/meter' } })
    expect([status, stderr]).toEqual([1, expect.stringContaining('statefulset/meter is not ready')])
  })
})
