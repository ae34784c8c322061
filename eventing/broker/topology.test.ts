import { createHash } from 'node:crypto'
import { manifestsOf } from './broker-fixture.ts'
import { parallelismOf } from './manifests.ts'
import { childName, deadLettersOf, matches, topologyOf } from './topology.ts'

const md5 = (text: string) => createHash('md5').update(text).digest('hex')
const uid = '0f0e0d0c-0b0a-0908-0706-050403020100'

test('a child name joins parent and UID up to 63 characters; a longer one is cut and hashed', () => {
  expect(childName('b.bank.default.', uid)).toBe(`b.bank.default.${uid}`)
  const fits = 'p'.repeat(27)
  expect(childName(fits, uid)).toBe(fits + uid)
  const longer = 'p'.repeat(28)
  expect(childName(longer, uid)).toBe(longer + md5(longer + uid) + uid.slice(0, 3))
  const longest = 't.bank.a-trigger-with-a-long-name.dlq.'
  expect(childName(longest, uid)).toBe(longest.slice(0, 31) + md5(longest + uid))
})

test('names are those of eventing-rabbitmq if the objects have UIDs', () => {
  const manifests = manifestsOf([{ name: 'notify', filter: { type: 'a' } }], { namespace: 'bank' })
  manifests.broker.metadata.uid = uid
  manifests.triggers[0]!.metadata.uid = uid.replace('0f', '1f')
  manifests.triggers[0]!.spec.delivery = {}
  const topology = topologyOf(manifests)
  expect(topology.exchange).toBe(`b.bank.default.${uid}`)
  expect(topology.deadLetters).toEqual({
    exchange: `b.bank.default.dlx.${uid}`,
    queue: `b.bank.default.dlq.${uid}`,
    binding: { 'x-knative-dlq': 'default', 'x-match': 'all' },
  })
  expect(topology.triggers[0]).toMatchObject({
    queue: `bank.notify.${uid}`,
    binding: { type: 'a', 'x-knative-trigger': 'notify', 'x-match': 'all' },
    deadLetters: {
      exchange: `t.bank.notify.dlx.${uid.replace('0f', '1f')}`,
      queue: `t.bank.notify.dlq.${uid.replace('0f', '1f')}`,
    },
  })
})

test('without a UID names are the same at every start, and no two objects share one', () => {
  const manifests = manifestsOf([{ name: 'a' }, { name: 'b' }], { namespace: 'bank' })
  expect(topologyOf(manifests).exchange).toBe(topologyOf(structuredClone(manifests)).exchange)
  expect(topologyOf(manifests).exchange).toMatch(
    /^b\.bank\.default\.[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  )
  const other = manifestsOf([], { namespace: 'other' })
  expect(topologyOf(other).exchange).not.toContain(topologyOf(manifests).exchange.slice(-36))
})

test('a Trigger of another Broker is left out', () => {
  const manifests = manifestsOf([{ name: 'mine' }, { name: 'theirs' }])
  manifests.triggers[1]!.spec.broker = 'other'
  expect(topologyOf(manifests).triggers.map(({ name }) => name)).toEqual(['mine'])
})

test('a filter matches if all its attributes are equal', () => {
  expect(matches({}, { type: 'a' })).toBe(true)
  expect(matches({ type: 'a' }, { type: 'a', source: 's' })).toBe(true)
  expect(matches({ type: 'a', tier: 'gold' }, { type: 'a' })).toBe(false)
  expect(matches({ type: 'A' }, { type: 'a' })).toBe(false)
  expect(matches({ tier: '' }, {})).toBe(false)
})

test('parallelism is 1 to 1000, by default 1', () => {
  const [trigger] = manifestsOf([{ name: 'a' }]).triggers
  const withAnnotation = (value?: string) => {
    const annotations: Record<string, string> = value
      ? { 'rabbitmq.eventing.knative.dev/parallelism': value }
      : {}
    return parallelismOf({ ...trigger!, metadata: { name: 'a', annotations } })
  }
  expect(withAnnotation()).toBe(1)
  expect(withAnnotation('1000')).toBe(1000)
  for (const wrong of ['0', '1001', 'ten', '1.5']) expect(() => withAnnotation(wrong)).toThrow('Trigger a')
})

test('queues are quorum queues unless the config says otherwise', () => {
  const manifests = manifestsOf([])
  const config = {
    kind: 'RabbitmqBrokerConfig',
    metadata: { name: 'rabbit' },
    spec: { queueType: 'classic' },
  } as const
  expect(topologyOf(manifests).queueType).toBe('quorum')
  expect(topologyOf({ ...manifests, config }).queueType).toBe('classic')
})

test('a queue of dead letters is not taken for one that a removed Trigger left over', () => {
  const topology = topologyOf(manifestsOf([{ name: 'notify' }], { namespace: 'bank' }))
  const [{ queue } = { queue: '' }] = topology.triggers
  expect(topology.owns(queue)).toBe(true)
  expect(topology.owns(queue.replace('notify', 'gone'))).toBe(true)
  for (const { queue: letters } of deadLettersOf(topology))
    expect([letters, topology.owns(letters)]).toEqual([letters, false])
})
