import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { documents } from '../../tests/support/repository.ts'
import { startRabbitmq } from '../local/servers/rabbitmq.ts'

/**
 * What the operators do with this file needs a cluster to test. What RabbitMQ does with it needs only
 * RabbitMQ.
 */

const objects = documents('knative/rabbitmq/cluster.yaml')
const cluster = objects.find(({ kind }) => kind === 'RabbitmqCluster')!
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'microbank-cluster-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('A9: a node starts with this configuration; an unknown key would stop it', async () => {
  mkdirSync(join(folder, 'conf.d'))
  writeFileSync(join(folder, 'conf.d', '90.conf'), cluster.spec.rabbitmq.additionalConfig)
  const node = await startRabbitmq({ dataDir: folder })
  await node.stop()
})

test('the script that reads the settings for Erlang passes them on', () => {
  const file = join(folder, 'rabbitmq-env.conf')
  writeFileSync(file, cluster.spec.rabbitmq.envConfig)
  const environment = execFileSync('sh', ['-c', `. ${file} && exec env`], { encoding: 'utf8', env: {} })
  expect(environment).toMatch(/^ERL_MAX_PORTS=\d+$/m)
})

test('no queue gives up an event that came back too often', () => {
  const policy = objects.find(({ kind }) => kind === 'OperatorPolicy')!
  expect(policy.metadata.namespace).toBe(cluster.metadata.namespace)
  expect(policy.spec).toMatchObject({
    pattern: '.*',
    applyTo: 'quorum_queues',
    definition: { 'delivery-limit': -1 },
    rabbitmqClusterReference: { name: cluster.metadata.name },
  })
})
