import { connect } from 'amqplib'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inOtherProcess } from '../../../tests/support/other-process.ts'
import { signal } from '../../../tests/support/signal.ts'
import { until } from '../../../tests/support/until.ts'
import { commandLine } from '../processes/daemon.ts'
import { quorumFolder, readIdentity } from './rabbitmq-configuration.ts'
import { findRabbitmq, startRabbitmq, stopLeftoverRabbitmq } from './rabbitmq.ts'
import type { RabbitmqNode } from './rabbitmq.ts'

const QUEUE = 'kept'
const running: RabbitmqNode[] = []
let dataDir: string

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'microbank-rabbitmq-'))
})

afterEach(async () => {
  await Promise.all(running.splice(0).map((node) => node.stop()))
  await rm(dataDir, { recursive: true, force: true })
})

async function start(): Promise<RabbitmqNode> {
  const node = await startRabbitmq({ dataDir })
  running.push(node)
  return node
}

async function publish(url: string, text: string): Promise<void> {
  const connection = await connect(url)
  const channel = await connection.createConfirmChannel()
  await channel.assertQueue(QUEUE, { durable: true, arguments: { 'x-queue-type': 'quorum' } })
  channel.sendToQueue(QUEUE, Buffer.from(text), { persistent: true })
  await channel.waitForConfirms()
  await connection.close()
}

async function take(url: string): Promise<string> {
  const connection = await connect(url)
  const channel = await connection.createChannel()
  // The queue elects its leader a moment after the node has started.
  const message = await until(() => channel.get(QUEUE, { noAck: true }), { what: 'a message in the queue' })
  await connection.close()
  return message.content.toString()
}

/** The pids of the node, its port mapper, and every process below them. */
function processesOf(folder: string): number[] {
  const running = JSON.parse(readFileSync(join(folder, 'running.json'), 'utf8')) as Record<string, number>
  const found = [running.node!, running.epmd!]
  const table = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n')
  const pairs = table.map((line) => line.trim().split(/\s+/).map(Number))
  // The loop also visits what it adds.
  for (const parent of found) for (const [pid, ppid] of pairs) if (ppid === parent) found.push(pid!)
  return found
}

async function end(node: RabbitmqNode): Promise<void> {
  process.kill(node.pid, 'SIGKILL')
  await node.exited
  await node.stop()
}

function queueConfig(folder: string): string {
  const quorum = quorumFolder(folder, readIdentity(folder))
  const [queue] = readdirSync(quorum).filter((name) => name.startsWith('2F_'))
  return join(quorum, queue!, 'config')
}

const ended = (pids: number[]): boolean => pids.every((pid) => commandLine(pid) === undefined)

describe('one node after another on the same data', () => {
  let node: RabbitmqNode
  let folder: string
  let orphans: number[]

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'microbank-rabbitmq-'))
    chmodSync(folder, 0o755)
    const { child, message } = await inOtherProcess<{ url: string }>(`
      import { startRabbitmq } from './knative/local/servers/rabbitmq.ts'
      startRabbitmq(${JSON.stringify({ dataDir: folder })}).then(({ url }) => process.send!({ url }))
      setInterval(() => {}, 1000)`)
    await publish(message.url, 'gold')
    orphans = processesOf(folder)
    child.kill('SIGKILL')
    await until(() => child.signalCode)
    node = await startRabbitmq({ dataDir: folder })
  })
  afterAll(async () => {
    await node?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  test('the next start stops a node whose parent was killed with kill -9', async () => {
    expect(orphans.length).toBeGreaterThan(2)
    await until(() => ended(orphans), { what: 'the end of all its processes' })
    expect(await take(node.url)).toBe('gold')
  })

  test('has closed its folder to others, although it was open before', () => {
    expect(statSync(folder).mode & 0o777).toBe(0o700)
  })

  test('accepts only clients with its password, which only its owner can read', async () => {
    const guest = `amqp://guest:guest@127.0.0.1:${node.port}`
    await expect(connect(guest)).rejects.toThrow('ACCESS-REFUSED')
    for (const file of ['identity.json', 'rabbitmq.conf', '.erlang.cookie']) {
      expect(statSync(join(folder, file)).mode & 0o077).toBe(0)
    }
  })

  test('is not stopped by a start in a copy of its folder', async () => {
    const copy = `${folder}-copy`
    mkdirSync(copy)
    try {
      cpSync(join(folder, 'running.json'), join(copy, 'running.json'))
      const { epmd } = JSON.parse(readFileSync(join(copy, 'running.json'), 'utf8')) as Record<string, number>
      await stopLeftoverRabbitmq(copy)
      expect([commandLine(epmd!), commandLine(node.pid)]).not.toContain(undefined)
    } finally {
      rmSync(copy, { recursive: true })
    }
  })

  test('keeps its port: another says why it does not start, with the last lines of its log', async () => {
    await expect(startRabbitmq({ dataDir, port: node.port })).rejects.toThrow(
      /RabbitMQ did not start:[^]*eaddrinuse/,
    )
  })

  test('a confirmed message outlives kill -9 of the node, and the loss of its queue’s configuration', async () => {
    const { port, url } = node
    await publish(url, 'silver')
    await until(() => node.hasStored(QUEUE), { what: 'the queue on disk' })
    await end(node)
    node = await startRabbitmq({ dataDir: folder, port })
    expect(node.url).toBe(url)
    expect(await take(url)).toBe('silver')

    // A full disk has made the node empty the configuration of a queue.
    await publish(url, 'bronze')
    node.keepCopies()
    await end(node)
    const config = queueConfig(folder)
    truncateSync(config)
    node = await startRabbitmq({ dataDir: folder, port })
    expect(await take(url)).toBe('bronze')
    expect(readFileSync(config, 'utf8')).toContain(QUEUE)
  })

  test('leaves no process behind when it is stopped', async () => {
    const pids = processesOf(folder)
    expect(pids.length).toBeGreaterThan(2)
    expect(pids.map(commandLine)).not.toContain(undefined)

    await node.stop()
    await until(() => ended(pids), { what: 'the end of all its processes' })
  })
})

describe('files that a power cut or a person damaged', () => {
  const damages: [string, (file: string) => void][] = [
    ['empty', (file) => writeFileSync(file, '')],
    ['full of zeros', (file) => writeFileSync(file, Buffer.alloc(60))],
    ['null', (file) => writeFileSync(file, 'null')],
    ['of another shape', (file) => writeFileSync(file, '{"name":5}')],
    ['gone', (file) => rmSync(file, { force: true })],
  ]

  test.each(damages)(
    'identity.json is %s: a sentence says what to do; without data it is made anew',
    async (_, damage) => {
      const file = join(await realpath(dataDir), 'identity.json')
      damage(file)
      const made = readIdentity(dataDir)
      expect(readIdentity(dataDir)).toEqual(made)
      mkdirSync(join(dataDir, 'mnesia'))
      damage(file)
      await expect(start()).rejects.toThrow(`${file} is damaged or gone`)
    },
  )

  const aFolder: typeof damages = [['a folder', (file) => void mkdirSync(file)]]

  test.each([...damages, ...aFolder])('running.json is %s: nothing is stopped', async (_, damage) => {
    damage(join(dataDir, 'running.json'))
    await stopLeftoverRabbitmq(dataDir)
  })
})

test('a kill in the middle of its first start leaves a folder that starts', async () => {
  const { child } = await inOtherProcess<string>(`
    import { startRabbitmq } from './knative/local/servers/rabbitmq.ts'
    void startRabbitmq(${JSON.stringify({ dataDir })}).catch(() => {})
    process.send!('starts')`)
  const identity = await until(() => readFileSync(join(dataDir, 'identity.json'), 'utf8'))
  // Its database exists, but the user, which it makes last, does not.
  const { name } = JSON.parse(identity) as { name: string }
  // Mnesia's database or, in newer versions, Khepri's.
  const begun = ['schema.DAT', 'coordination'].map((file) => join(dataDir, 'mnesia', name, file))
  const isRecorded = () => readFileSync(join(dataDir, 'running.json'), 'utf8').includes('"node"')
  await until(() => begun.some((path) => existsSync(path)) && isRecorded(), { everyMs: 1 })
  child.kill('SIGKILL')
  signal(processesOf(dataDir), 'SIGKILL')
  const node = await start()
  await publish(node.url, 'gold')
})

test('the reason is shown without Erlang’s crash report, and the dump stays in the data folder', async () => {
  writeFileSync(join(dataDir, 'advanced.config'), 'rubbish')
  await expect(start()).rejects.toThrow(/did not start:\n.* Failed to load advanced configuration file/)
  expect(existsSync(join(dataDir, 'erl_crash.dump'))).toBe(true)
})

test('uses the rabbitmq-server that comes first on the PATH', async () => {
  const own = join(await realpath(dataDir), 'rabbitmq-server')
  writeFileSync(own, '')
  const { PATH } = process.env
  try {
    process.env.PATH = `${dataDir}:${PATH}`
    expect(findRabbitmq()?.server).toBe(own)
  } finally {
    process.env.PATH = PATH
  }
})
