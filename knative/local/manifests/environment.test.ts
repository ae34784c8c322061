import { givenSecrets, environmentOf, overridden } from './environment.ts'
import type { EnvSource, ServiceManifest } from './service-manifest.ts'

const manifest = (env: EnvSource[]) =>
  ({ name: 'transfer', file: 'transfer.yaml', env }) as unknown as ServiceManifest
const data = {
  Secret: new Map([['ledger-database', { LEDGER_DATABASE_URL: 'postgres://ledger' }]]),
  ConfigMap: new Map([['microbank', { LOG_LEVEL: 'info', SERVICE_DOMAIN: 'cluster' }]]),
}
const key = (of: 'Secret' | 'ConfigMap', from: string, name: string, optional = false): EnvSource => ({
  ...{ kind: 'key', name: 'VALUE', of, from, key: name, optional },
})

describe('the environment of a function', () => {
  test('has the manifest’s variables, single ones before whole maps, and those that Knative adds', () => {
    const env = environmentOf(
      manifest([
        { kind: 'all', of: 'ConfigMap', from: 'microbank', prefix: '', optional: false },
        { kind: 'all', of: 'Secret', from: 'ledger-database', prefix: 'MY_', optional: false },
        { kind: 'value', name: 'LOG_LEVEL', value: 'debug' },
        key('Secret', 'ledger-database', 'LEDGER_DATABASE_URL'),
      ]),
      data,
      { PATH: '/bin', LEDGER_DATABASE_OWNER_URL: 'postgres://owner', GITHUB_TOKEN: 'secret' },
      { LOCAL_GATEWAY: '127.0.0.1:1' },
    )
    expect(env).toEqual({
      PATH: '/bin',
      NODE_ENV: 'production',
      LOCAL_GATEWAY: '127.0.0.1:1',
      LOG_LEVEL: 'debug',
      SERVICE_DOMAIN: 'cluster',
      MY_LEDGER_DATABASE_URL: 'postgres://ledger',
      VALUE: 'postgres://ledger',
      K_SERVICE: 'transfer',
      K_CONFIGURATION: 'transfer',
      K_REVISION: 'transfer-00001',
    })
  })

  test('omits what is optional and missing; everything else must exist', () => {
    expect(environmentOf(manifest([key('Secret', 'none', 'A', true)]), data, {}, {})).not.toHaveProperty(
      'VALUE',
    )
    expect(() => environmentOf(manifest([key('Secret', 'none', 'A')]), data, {}, {})).toThrow(
      'transfer.yaml: Service transfer needs Secret none with a key A, which is missing',
    )
    const all: EnvSource = { kind: 'all', of: 'ConfigMap', from: 'none', prefix: '', optional: false }
    expect(() => environmentOf(manifest([all]), data, {}, {})).toThrow('needs ConfigMap none')
  })
})

test('the runtime’s own environment wins over a ConfigMap, for the ConfigMap’s keys', () => {
  expect(overridden(data.ConfigMap, { LOG_LEVEL: 'debug', OTHER: 'x' })).toEqual(
    new Map([['microbank', { LOG_LEVEL: 'debug', SERVICE_DOMAIN: 'cluster' }]]),
  )
})

test('Secrets that nobody can generate come from the environment, if it has one of their keys', () => {
  const own = { SMTP_URL: 'smtps://mail.example', SMTP_TLS: 'none', SMS_BODY: '{}', OTHER: 'x' }
  expect([...givenSecrets(own)]).toEqual([
    ['mail-server', { SMTP_URL: 'smtps://mail.example', SMTP_TLS: 'none' }],
    ['sms-provider', { SMS_BODY: '{}' }],
  ])
  expect([...givenSecrets({})]).toEqual([])
})
