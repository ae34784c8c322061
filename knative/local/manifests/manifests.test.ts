import { readManifests } from './manifests.ts'
import { folderWith } from '../gateway/gateway-fixture.ts'

const read = (files: Record<string, string>) => {
  const folder = folderWith(files)
  try {
    return readManifests(folder.path)
  } finally {
    folder.remove()
  }
}

const service = (annotations = '', spec = '', container = '') => ({
  'knative/services/transfer.yaml': `
apiVersion: serving.knative.dev/v1
kind: Service
metadata: { name: transfer, labels: { networking.knative.dev/visibility: cluster-local } }
spec:
  template:
    metadata: { annotations: { ${annotations} } }
    spec:
      ${spec}
      containers:
        - image: microbank
          args: [transfer, --slow]
          ${container}
`,
})
const only = (files: Record<string, string>) => read(files).services[0]!

describe('a Service', () => {
  test('has the defaults of Knative', () => {
    expect(only(service())).toEqual({
      name: 'transfer',
      file: 'knative/services/transfer.yaml',
      clusterLocal: true,
      bundle: 'transfer',
      args: ['--slow'],
      env: [],
      containerConcurrency: 0,
      timeoutMs: 300_000,
      scaling: {
        ...{ minScale: 0, maxScale: 0, initialScale: 1, activationScale: 1, target: 70 },
        ...{ windowMs: 60_000, panicWindowMs: 6000, panicThreshold: 2, scaleDownDelayMs: 0, retentionMs: 0 },
      },
    })
  })

  test('scales as its annotations say', () => {
    const given = {
      'min-scale': '1',
      'max-scale': '5',
      'initial-scale': '2',
      'activation-scale': '3',
      target: '10',
    }
    const times = {
      window: '1m30s',
      'scale-down-delay': '15s',
      'scale-to-zero-pod-retention-period': '500ms',
    }
    const annotations = Object.entries({ ...given, ...times, 'target-utilization-percentage': '50' })
      .map(([name, value]) => `autoscaling.knative.dev/${name}: "${value}"`)
      .join(', ')
    expect(only(service(annotations)).scaling).toMatchObject({
      ...{ minScale: 1, maxScale: 5, initialScale: 2, activationScale: 3, target: 5 },
      ...{ windowMs: 90_000, panicWindowMs: 9000, scaleDownDelayMs: 15_000, retentionMs: 500 },
    })
  })

  test('scales by its containerConcurrency if that is less than its target', () => {
    expect(only(service('', 'containerConcurrency: 20')).scaling.target).toBe(14)
    const both = only(service('autoscaling.knative.dev/target: "50"', 'containerConcurrency: 20'))
    expect(both.scaling.target).toBe(14)
    expect(
      only(service('autoscaling.knative.dev/target: "10"', 'containerConcurrency: 20')).scaling.target,
    ).toBe(7)
  })

  test('takes its environment from values, Secrets and ConfigMaps', () => {
    const container = `env:
            - { name: PLAIN, value: text }
            - { name: URL, valueFrom: { secretKeyRef: { name: ledger-database, key: LEDGER_DATABASE_URL } } }
            - { name: MAYBE, valueFrom: { configMapKeyRef: { name: none, key: KEY, optional: true } } }
          envFrom:
            - secretRef: { name: token-signing-key }
            - { configMapRef: { name: microbank }, prefix: BANK_ }`
    expect(only(service('', '', container)).env).toEqual([
      { kind: 'all', of: 'Secret', from: 'token-signing-key', prefix: '', optional: false },
      { kind: 'all', of: 'ConfigMap', from: 'microbank', prefix: 'BANK_', optional: false },
      { kind: 'value', name: 'PLAIN', value: 'text' },
      {
        kind: 'key',
        name: 'URL',
        of: 'Secret',
        from: 'ledger-database',
        key: 'LEDGER_DATABASE_URL',
        optional: false,
      },
      { kind: 'key', name: 'MAYBE', of: 'ConfigMap', from: 'none', key: 'KEY', optional: true },
    ])
  })
})

test('config, PingSources, Brokers and Triggers are read from their folders; other kinds are skipped', () => {
  const manifests = read({
    ...service(),
    'knative/config.yaml':
      'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: microbank }\ndata: { LOG_LEVEL: info }',
    'knative/namespace.yaml': 'this is not even read',
    'eventing/broker.yaml': `
apiVersion: eventing.knative.dev/v1
kind: Broker
metadata: { name: default }
---
apiVersion: v1
kind: Namespace
metadata: { name: bank }
`,
    'eventing/triggers/notify.yaml': `
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: { name: notify }
spec: { broker: default, subscriber: { ref: { kind: Service, name: transfer } } }
`,
    'eventing/sweep.yaml': `
apiVersion: sources.knative.dev/v1
kind: PingSource
metadata: { name: sweep }
spec:
  schedule: "*/5 * * * *"
  timezone: Europe/Berlin
  contentType: application/json
  data: '{"a":1}'
  sink: { ref: { kind: Service, name: transfer }, uri: /events }
`,
  })
  expect(manifests.configMaps).toEqual(new Map([['microbank', { LOG_LEVEL: 'info' }]]))
  expect(manifests.eventing.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
    'Broker default',
    'Trigger notify',
  ])
  expect(manifests.pingSources).toEqual([
    {
      ...{
        name: 'sweep',
        schedule: '*/5 * * * *',
        timezone: 'Europe/Berlin',
        contentType: 'application/json',
      },
      ...{
        data: Buffer.from('{"a":1}'),
        extensions: {},
        sink: { kind: 'Service', name: 'transfer', uri: '/events' },
      },
    },
  ])
})

describe('an error names the file, the field and what was expected', () => {
  const file = 'knative/services/transfer.yaml'
  const trigger = (name: string) => ({
    'eventing/t.yaml': `
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: { name: t }
spec: { broker: default, subscriber: { ref: { kind: Service, name: ${name} } } }`,
  })
  test.each([
    ['YAML', { [file]: 'a: [1' }, /^knative\/services\/transfer.yaml: .*line 1/s],
    ['no kind', { [file]: 'apiVersion: v1' }, /every document needs apiVersion and kind/],
    ['no name', { [file]: 'apiVersion: v1\nkind: ConfigMap' }, /ConfigMap needs metadata.name/],
    [
      'a window',
      service('autoscaling.knative.dev/window: "soon"'),
      /transfer.yaml: Service transfer: .*window is "soon"; expected a quoted number or duration/,
    ],
    ['a bare number', service('autoscaling.knative.dev/min-scale: 1'), /min-scale is 1; expected a quoted/],
    ['a metric', service('autoscaling.knative.dev/metric: rps'), /metric is "rps"; expected concurrency/],
    ['a time-out', service('', 'timeoutSeconds: "30"'), /timeoutSeconds is "30"; expected a number/],
    ['a value', service('', '', 'env: [{ name: A, value: 1 }]'), /env.0.value is 1; expected text in quotes/],
    ['a source', service('', '', 'envFrom: [{ secretRef: {} }]'), /envFrom.0 is .*expected a secretRef/],
    [
      'a bundle',
      { [file]: service()[file]!.replace('transfer, --slow', '../evil') },
      /a list that starts with a bundle's name/,
    ],
    [
      'twice',
      { ...service(), 'knative/services/z.yaml': service()[file]! },
      /z.yaml: Service transfer is already in .*transfer.yaml/,
    ],
    [
      'a subscriber',
      { ...service(), ...trigger('nobody') },
      /t.yaml: Trigger t: spec.subscriber.ref.name is "nobody"/,
    ],
  ])('%s', (_what, files, message) => {
    expect(() => read(files as Record<string, string>)).toThrow(message)
  })
})
