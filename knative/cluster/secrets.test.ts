import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { manifests, ROOT } from '../../tests/support/repository.ts'
import { databaseContexts } from '../../functions/contexts.ts'
import { installSecrets, type Kubectl } from './secrets.ts'

type Stored = Record<string, string>

/**
 * As much of a cluster as Secrets need: a store of objects, and a cert-manager that has made its certificate.
 */
function fakeCluster() {
  const objects = new Map<string, Stored>()
  const commands: string[] = []
  const keyOf = (kind: string, namespace: string, name: string) => `${kind} ${namespace}/${name}`
  const kubectl: Kubectl = (args, input) => {
    const [verb, kind = '', name = ''] = args
    commands.push(args.join(' '))
    if (verb === 'get' && kind === 'Secret,ConfigMap') {
      const namespace = name.replace('--namespace=', '')
      const names = [...objects.keys()].filter((key) => key.includes(` ${namespace}/`))
      return names.map((key) => `${key.replace(/ .*\//, '/').toLowerCase()}\n`).join('')
    }
    if (verb === 'get') {
      const found = objects.get(keyOf(kind, args[3]!.replace('--namespace=', ''), name))
      if (!found) return ''
      const encoded = Object.entries(found).map(([key, value]) => [
        key,
        Buffer.from(value).toString('base64'),
      ])
      return JSON.stringify({ data: Object.fromEntries(encoded) as Stored })
    }
    if (input !== undefined) {
      const { kind: made, metadata, data, stringData } = JSON.parse(input)
      const key = keyOf(made, metadata.namespace, metadata.name)
      if (verb === 'create' && objects.has(key)) throw new Error(`${key} exists`)
      objects.set(key, stringData ?? data)
    }
    return ''
  }
  objects.set('Secret data/database-ca', { 'ca.crt': 'the authority' })
  return { objects, commands, kubectl, install: () => installSecrets(kubectl, ROOT, () => {}) }
}

const env = (objects: Map<string, Stored>, name: string): Stored =>
  objects.get(`Secret bank/${name}`) ?? objects.get(`ConfigMap bank/${name}`) ?? {}

test('makes every Secret and ConfigMap that a manifest names, with the keys that the manifest needs', () => {
  const { objects, install } = fakeCluster()
  install()
  const [config] = parseAllDocuments(readFileSync(join(ROOT, 'knative/config.yaml'), 'utf8'))
  objects.set('ConfigMap bank/microbank', config!.toJS().data as Stored)
  const pods = [...manifests('Service'), ...manifests('Job')].flatMap(({ spec }) => spec.template?.spec ?? [])
  expect(pods.length).toBeGreaterThan(databaseContexts.length)
  for (const { containers, volumes = [] } of pods) {
    for (const { secretRef, configMapRef } of containers[0].envFrom ?? []) {
      const { name, optional } = secretRef ?? configMapRef
      // What is optional is for what a bank may leave out, such as a mail server. Nobody can make that up.
      if (!optional) expect(Object.keys(env(objects, name))).not.toEqual([])
    }
    for (const { valueFrom } of containers[0].env ?? [])
      if (valueFrom)
        expect(env(objects, valueFrom.secretKeyRef.name)).toHaveProperty(valueFrom.secretKeyRef.key)
    for (const { configMap } of volumes)
      if (configMap) expect(env(objects, configMap.name)).toHaveProperty(['ca.crt'])
  }
})

test('the URLs hold the passwords of the databases, and require a certificate that is checked', () => {
  const { objects, install } = fakeCluster()
  install()
  for (const context of databaseContexts) {
    const { owner, functions, meter } = objects.get(`Secret data/${context}-postgres-passwords`)!
    const variable = `${context.toUpperCase()}_DATABASE`
    const urls = [
      {
        url: env(objects, `${context}-database`)[`${variable}_URL`]!,
        username: context,
        password: functions,
      },
      {
        ...{ url: env(objects, `${context}-database-owner`)[`${variable}_OWNER_URL`]! },
        ...{ username: `${context}_owner`, password: owner },
      },
      {
        url: objects.get(`Secret monitoring/${context}-database-meter`)![`${variable}_METER_URL`]!,
        username: `${context}_meter`,
        password: meter,
      },
    ]
    for (const { url, username, password } of urls) {
      expect(new URL(url)).toMatchObject({ username, password, pathname: `/${context}` })
      expect(new URL(url).hostname).toBe(`${context}-postgres.data.svc.cluster.local`)
      expect(new URL(url).search).toBe('?sslmode=verify-full&sslrootcert=/etc/microbank/database-ca/ca.crt')
    }
  }
})

test('a second run changes nothing, and a deleted Secret comes back as it was', () => {
  const { objects, commands, install } = fakeCluster()
  expect(install()).toContain('first-operator')
  const before = new Map(objects)
  expect(install()).toEqual([])
  expect(objects).toEqual(before)
  for (const key of objects.keys()) if (key !== 'Secret data/microbank-secrets') objects.delete(key)
  objects.set('Secret data/database-ca', { 'ca.crt': 'the authority' })
  install()
  expect(objects).toEqual(before)
  expect(commands.join('\n')).not.toContain(before.get('Secret bank/first-operator')!.OPERATOR_PASSWORD)
})

test('leaves alone what somebody else made', () => {
  const { objects, install } = fakeCluster()
  objects.set('Secret bank/first-operator', { OPERATOR_EMAIL: 'me@example.org', OPERATOR_PASSWORD: 'mine' })
  expect(install()).not.toContain('first-operator')
  expect(env(objects, 'first-operator').OPERATOR_PASSWORD).toBe('mine')
})
