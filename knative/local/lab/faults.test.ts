import { spawn, type ChildProcess } from 'node:child_process'
import { createServer, request, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { GivenFault } from '../../../functions/platform/lab/faults.ts'
import type { EventMessage } from '../../../eventing/message.ts'
import type { SubscriberAnswer } from '../../../eventing/broker/post.ts'
import { until } from '../../../tests/support/until.ts'
import { processState } from '../../../tests/support/process-state.ts'
import type { ConsumerRoute } from './delivery-tap.ts'
import { beginFaults, impossible, type RunningFaults } from './faults.ts'
import { planOf } from './plan.ts'

/** Each fault over real processes and connections, and what is left once it is undone. */

const SECONDS = 60
const children: ChildProcess[] = []
let running: RunningFaults | undefined
afterEach(() => {
  running?.end()
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

/** A process that does nothing, in a group of its own as functions are. */
function sleeper(): ChildProcess & { pid: number } {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], {
    detached: true,
    stdio: 'ignore',
  })
  children.push(child)
  return child as ChildProcess & { pid: number }
}

const ended = (child: ChildProcess) => until(() => child.signalCode, { what: 'the process to end' })

function consumer(service: string, answer: () => Promise<SubscriberAnswer> = async () => OK) {
  const taken: string[] = []
  const aborted: string[] = []
  const take: ConsumerRoute['to']['take'] = ({ headers }) => {
    taken.push(headers['ce-id']!)
    return { answer: answer(), abort: (reason) => void aborted.push(reason.message) }
  }
  return { taken, aborted, take, route: { service, to: { url: 'http://x/', take } } as ConsumerRoute }
}

const OK: SubscriberAnswer = { status: 204, headers: {}, body: Buffer.alloc(0) }
const deliver = ({ to }: ConsumerRoute, id: string) =>
  to.take!({ path: '/', headers: { 'ce-id': id }, body: Buffer.alloc(0) })

function begin(
  faults: GivenFault[],
  parts: Partial<Parameters<typeof beginFaults>[0]> = {},
  seconds = SECONDS,
) {
  const made: string[] = []
  const delivered: string[] = []
  const published: EventMessage[] = []
  const world = {
    ...{ services: new Map(), consumers: [], ingresses: new Map<string, RequestListener>() },
    servers: { postgres: undefined, rabbitmq: undefined },
    publish: async (event: EventMessage) => void published.push(event),
    ...parts,
  }
  running = beginFaults(world, {
    ...{ faults, seconds, seed: 1, poisonSource: '/lab/1' },
    onFault: (fault, place) => made.push(`${fault} ${place}`),
    onDelivery: (service, id) => delivered.push(`${service} ${id}`),
  })
  return { made, delivered, published, running }
}

test('a seed makes the same plan each time, another seed another one, and all of it is within the run', () => {
  const faults: GivenFault[] = [
    { kind: 'kill-function', every_ms: 1_000 },
    { kind: 'postgres-killed', times: 2 },
    { kind: 'rabbitmq-away', seconds: 5 },
  ]
  const plan = planOf(faults, 20, 4711)
  expect(plan).toEqual(planOf(faults, 20, 4711))
  expect(plan).not.toEqual(planOf(faults, 20, 4712))
  expect(plan).toHaveLength(20 + 2 + 1)
  expect(plan.every(({ atMs }, i) => atMs < 20_000 && atMs >= (plan[i - 1]?.atMs ?? 0))).toBe(true)
  // One fault more changes nothing for the others.
  const more = planOf([...faults, { kind: 'poison-event', count: 1 }], 20, 4711)
  expect(more.filter(({ fault }) => fault.kind !== 'poison-event')).toEqual(plan)
})

test('kills the function that is named, and another process only after it', async () => {
  const [named, other] = [sleeper(), sleeper()]
  const services = new Map([
    ['transfer', { pids: [named.pid] }],
    ['accounts', { pids: [other.pid] }],
  ])
  const { made } = begin([{ kind: 'kill-function', function: 'transfer', every_ms: 200 }], { services }, 1)
  await ended(named)
  expect([other.signalCode, made]).toEqual([null, ['kill-function transfer']])
  services.set('transfer', { pids: [sleeper().pid] })
  await until(() => made.length === 2)
})

test('without a name, kills one at random', async () => {
  const victims = [sleeper(), sleeper()]
  const services = new Map(victims.map(({ pid }, i) => [`f${i}`, { pids: [pid] }]))
  begin([{ kind: 'kill-function', every_ms: 200 }], { services }, 1)
  await Promise.all(victims.map(ended))
})

test('delivers each event n times, together or one after the other, and once when it is undone', async () => {
  const { taken, route, take } = consumer('notify')
  const { delivered, running } = begin([{ kind: 'repeat-deliveries', times: 3 }], { consumers: [route] })
  for (const id of ['a', 'b', 'c', 'd']) expect(await deliver(route, id).answer).toBe(OK)
  expect(taken.sort()).toEqual(['a', 'a', 'a', 'b', 'b', 'b', 'c', 'c', 'c', 'd', 'd', 'd'])
  expect(delivered).toHaveLength(12)
  running.undo()
  await deliver(route, 'e').answer
  // It still counts.
  expect([taken.length, delivered.at(-1)]).toEqual([13, 'notify e'])
  running.end()
  expect(route.to.take).toBe(take)
})

test('a delivery that fails is answered as it failed; the Broker repeats it', async () => {
  const { route } = consumer('notify', () => Promise.reject(new Error('away')))
  begin([{ kind: 'repeat-deliveries', times: 3 }], { consumers: [route] })
  for (const id of ['a', 'b', 'c']) await expect(deliver(route, id).answer).rejects.toThrow('away')
})

test('a delayed delivery waits, ends if it is aborted, and goes on at once when it is undone', async () => {
  const { taken, route } = consumer('notify')
  const { running } = begin([{ kind: 'delay-deliveries', ms: 600_000 }], { consumers: [route] })
  const [first, second] = [deliver(route, 'a'), deliver(route, 'b')]
  first.abort(new Error('too slow'))
  await expect(first.answer).rejects.toThrow('too slow')
  expect([taken, running.isBusy()]).toEqual([[], true])
  running.undo()
  expect(await second.answer).toBe(OK)
  await until(() => !running.isBusy())
  expect(taken).toEqual(['b'])
})

test('a slow consumer has done its work before it answers, and no other is slow', async () => {
  const [slow, quick] = [consumer('notify'), consumer('deposit')]
  const consumers = [slow.route, quick.route]
  const { running } = begin([{ kind: 'slow-consumer', function: 'notify', ms: 600_000 }], { consumers })
  expect(running.brokenNow()).toMatchObject([{ place: 'notify', fault: 'slow-consumer' }])
  const late = deliver(slow.route, 'a').answer
  await deliver(quick.route, 'b').answer
  expect(slow.taken).toEqual(['a'])
  running.undo()
  expect(await late).toBe(OK)
  expect(running.brokenNow()).toEqual([])
})

test('a dropped confirm: the event is stored, and its publisher is not told', async () => {
  const stored: string[] = []
  const ingress: RequestListener = (request, response) => {
    stored.push(request.url!)
    response.writeHead(202, { 'content-length': '0' }).end()
  }
  const ingresses = new Map([['default', ingress]])
  const server = createServer((...both) => ingresses.get('default')!(...both))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const publish = (path: string) =>
    new Promise<number | string>((resolve) =>
      request({ port, host: '127.0.0.1', method: 'POST', path, agent: false }, (answer) =>
        answer.resume().on('end', () => resolve(answer.statusCode!)),
      )
        .on('error', (error: NodeJS.ErrnoException) => resolve(error.code!))
        .end(),
    )
  const { made, running } = begin([{ kind: 'drop-confirms', percent: 50 }], { ingresses })
  const answers: (number | string)[] = []
  while (!(answers.includes(202) && answers.includes('ECONNRESET')) && answers.length < 100)
    answers.push(await publish(`/${answers.length}`))
  expect(new Set(answers)).toEqual(new Set([202, 'ECONNRESET']))
  expect(stored).toHaveLength(answers.length)
  expect(made).toHaveLength(answers.filter((one) => one === 'ECONNRESET').length)
  running.undo()
  expect(ingresses.get('default')).toBe(ingress)
  server.close()
})

test('RabbitMQ is frozen, and goes on when its time is over or it is undone', async () => {
  const node = sleeper()
  const servers = { postgres: undefined, rabbitmq: { pid: node.pid } }
  const { made, running } = begin([{ kind: 'rabbitmq-away', seconds: 30 }], { servers }, 1)
  await until(() => processState(node.pid) === 'T', { what: 'the node to be frozen' })
  expect([made, running.brokenNow()]).toMatchObject([['rabbitmq-away rabbitmq'], [{ place: 'rabbitmq' }]])
  running.undo()
  await until(() => processState(node.pid) !== 'T', { what: 'the node to go on' })
  expect(running.brokenNow()).toEqual([])
  begin([{ kind: 'rabbitmq-away', seconds: 0.05 }], { servers }, 1)
  await until(() => processState(node.pid) === 'T')
  await until(() => processState(node.pid) !== 'T')
})

test('Postgres is killed, and is broken until another process has taken its place', async () => {
  const server = sleeper()
  const postgres: { pid: number | undefined } = { pid: server.pid }
  const servers = { postgres, rabbitmq: undefined }
  const { made, running } = begin([{ kind: 'postgres-killed', times: 1 }], { servers }, 1)
  await ended(server)
  expect([made, running.brokenNow()]).toMatchObject([['postgres-killed postgres'], [{ place: 'postgres' }]])
  postgres.pid = undefined
  expect(running.brokenNow()).toHaveLength(1)
  postgres.pid = sleeper().pid
  await until(() => running.brokenNow().length === 0)
})

test('poison events are unsigned and have the source of the run', async () => {
  const { published, made } = begin([{ kind: 'poison-event', count: 2 }], {}, 1)
  await until(() => made.length === 2)
  expect(published.map(({ attributes }) => attributes)).toMatchObject([
    { source: '/lab/1', type: 'transaction.completed' },
    { source: '/lab/1' },
  ])
  expect(published[0]!.attributes).not.toHaveProperty('signature')
})

test('what the runtime has not started itself cannot be stopped, and what does not exist cannot be killed', () => {
  const world = {
    ...{ services: new Map([['transfer', { pids: [] }]]), consumers: [], ingresses: new Map() },
    ...{ servers: { postgres: undefined, rabbitmq: undefined }, publish: async () => undefined },
  }
  expect(impossible({ kind: 'rabbitmq-away' }, world)).toMatch(/queue/)
  expect(impossible({ kind: 'postgres-killed' }, world)).toMatch(/databases/)
  expect(impossible({ kind: 'kill-function', function: 'nobody' }, world)).toBe(
    'There is no function nobody.',
  )
  expect(impossible({ kind: 'kill-function', function: 'transfer' }, world)).toBeUndefined()
  expect(impossible({ kind: 'slow-consumer', function: 'transfer' }, world)).toBe('transfer gets no events.')
})
