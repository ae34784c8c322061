import { connect } from 'amqplib'
import { existsSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { realpath } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { boundClose } from '../../../eventing/broker/rabbitmq-close.ts'
import {
  commandLine,
  fileSize,
  lastLines,
  poll,
  spawnDaemon,
  stopProcess,
  textSince,
} from '../processes/daemon.ts'
import type { Daemon } from '../processes/daemon.ts'
import { folderIdentity, privateFolder, readFields, remove } from '../data-folder/own-files.ts'
import { takePort } from '../processes/ports.ts'
import {
  environment,
  noteReady,
  pathFolders,
  quorumFolder,
  readIdentity,
  removeUnfinished,
  writeConfiguration,
} from './rabbitmq-configuration.ts'
import type { NodeIdentity, Ports } from './rabbitmq-configuration.ts'
import { keepQueueConfigs, restoreQueueConfigs } from './rabbitmq-queue-configs.ts'

export interface RabbitmqOptions {
  /** The folder for everything that the node keeps. It is made if it is missing. */
  dataDir: string
  /** The port for AMQP. Default: a free one, another one at each start. */
  port?: number
  /** Called with a sentence that says what the start is waiting for. */
  onProgress?: (sentence: string) => void
}

export interface RabbitmqNode {
  /** The amqp:// URL with user and password. */
  url: string
  port: number
  pid: number
  logFile: string
  /** Resolves when the node has ended, whether or not it was asked to. */
  exited: Daemon['exited']
  /**
   * Whether declared quorum queues would survive a kill -9 of the node. RabbitMQ confirms a declaration up
   * to three seconds before it writes the queue's name to disk. A queue killed in between keeps no messages
   * and never gets a leader again (rabbitmq-server issues 10070, 15725).
   */
  hasStored(...queues: string[]): boolean
  /**
   * Copies the queues' configurations, so that a start can restore those that a full disk has emptied. Must
   * be called after queues were declared. Throws if a file can't be written.
   */
  keepCopies(): void
  /** Ends the node in order, and the port mapper that came with it. */
  stop(): Promise<void>
}

const START_MS_MAX = 120_000
const STOP_NODE = [
  ['SIGTERM', 30_000],
  ['SIGKILL', 5_000],
] as const
const STOP_EPMD = [
  ['SIGTERM', 2_000],
  ['SIGKILL', 2_000],
] as const

/**
 * Finds the `rabbitmq-server` of this machine, and Erlang's port mapper (epmd). Undefined if one is missing.
 */
export function findRabbitmq(): { server: string; epmd: string } | undefined {
  const server = find('rabbitmq-server', [...pathFolders(), '/usr/lib/rabbitmq/bin', '/opt/homebrew/sbin'])
  const erl = find('erl', [...pathFolders(), '/opt/homebrew/bin'])
  const epmd = erl && find('epmd', [dirname(erl), ...pathFolders()])
  if (!server || !epmd) return undefined
  // On Debian, the PATH has a wrapper that refuses every user except root and rabbitmq. The real program is
  // beside it.
  const isWrapper = basename(server) === 'rabbitmq-script-wrapper'
  return { server: isWrapper ? join(dirname(server), 'rabbitmq-server') : server, epmd }
}

/**
 * Starts a private RabbitMQ node on 127.0.0.1, without plug-ins. First stops a node that a killed run left on
 * the same folder. If the node doesn't start, throws with the last lines of its log.
 */
export async function startRabbitmq(options: RabbitmqOptions): Promise<RabbitmqNode> {
  const programs = findRabbitmq()
  if (!programs) throw new Error('expected rabbitmq-server and Erlang on this machine, found none')
  const dataDir = await realpath(privateFolder(options.dataDir))
  await stopLeftoverRabbitmq(dataDir, options.onProgress)
  const identity = readIdentity(dataDir)
  const logFile = join(dataDir, 'rabbitmq.log')
  const quorum = quorumFolder(dataDir, identity)
  const copies = join(dataDir, 'queue-configs')
  const restored = restoreQueueConfigs(quorum, copies)
  if (restored > 0)
    options.onProgress?.(`the configuration of ${restored} queues was damaged and is restored`)

  for (let attempt = 1; ; attempt++) {
    const ports = {
      amqp: options.port ?? (await takePort()),
      distribution: await takePort(),
      epmd: await takePort(),
    }
    removeUnfinished(dataDir, identity)
    writeConfiguration(dataDir, identity, ports)
    const from = fileSize(logFile)
    const { node, stop } = await launch({ programs, dataDir, identity, ports, logFile })
    const url = `amqp://${identity.user}:${identity.password}@127.0.0.1:${ports.amqp}`
    if (await ready(node, url)) {
      noteReady(dataDir, identity)
      const hasStored = (...queues: string[]): boolean => {
        const names = queueNames(quorum)
        return queues.every((queue) => names.includes(`%2F_${queue}`))
      }
      const keepCopies = () => keepQueueConfigs(quorum, copies)
      const { pid, exited } = node
      return { url, port: ports.amqp, pid, logFile, exited, hasStored, keepCopies, stop }
    }
    await stop()
    const log = textSince(logFile, from)
    // Another process may have got a port that was free a moment ago.
    if (options.port || attempt === 3 || !/eaddrinuse|address already in use|failed to bind/i.test(log)) {
      throw new Error(`RabbitMQ did not start:\n${lastLines(withoutReports(log), 15)}`)
    }
  }
}

/** Stops the node and the port mapper that a killed run left on this folder, if there are any. */
export async function stopLeftoverRabbitmq(
  dataDir: string,
  onProgress: (sentence: string) => void = () => {},
): Promise<void> {
  const running = readRunning(dataDir)
  if (!running) return
  const { node, epmd, epmdPort } = running
  // Pids are used again. The command line shows whether the process is ours.
  const home = ` -home ${await realpath(dataDir)} `
  const nodeRuns = (): boolean => node !== undefined && runs(node, 'beam', home)
  if (nodeRuns()) {
    onProgress(`stopping the RabbitMQ that an earlier run left behind (process ${node})`)
    await stopProcess(node!, nodeRuns, STOP_NODE)
  }
  await stopProcess(epmd, () => runs(epmd, 'epmd', epmdArgs(epmdPort)), STOP_EPMD)
  remove(runningFile(dataDir))
}

function runs(pid: number, program: string, detail: string): boolean {
  const line = commandLine(pid) ?? ''
  return line.includes(program) && line.includes(detail)
}

/** The processes of a data folder's node. They are on disk for the start that follows a kill -9. */
interface Running {
  /** The identity of the folder: in a copy, the pids belong to the original. */
  folder: string
  epmd: number
  epmdPort: number
  /** Missing if the run was killed before it had started the node. */
  node?: number
}

const runningFile = (dataDir: string): string => join(dataDir, 'running.json')

function readRunning(dataDir: string): Running | undefined {
  const { folder, epmd, epmdPort, node } = readFields(runningFile(dataDir)) ?? {}
  if (typeof epmd !== 'number' || typeof epmdPort !== 'number' || folder !== folderIdentity(dataDir))
    return undefined
  return { folder, epmd, epmdPort, ...(typeof node === 'number' && { node }) }
}

async function launch(options: {
  programs: { server: string; epmd: string }
  dataDir: string
  identity: NodeIdentity
  ports: Ports
  logFile: string
}): Promise<{ node: Daemon; stop: () => Promise<void> }> {
  const { programs, dataDir, identity, ports, logFile } = options
  const env = environment(dataDir, identity, ports)
  // Without this port mapper, Erlang starts its own for the whole machine, which stays when the node ends.
  const epmd = await spawnDaemon({
    command: programs.epmd,
    args: epmdArgs(ports.epmd).split(' '),
    env,
    logFile,
  })
  const running: Running = { folder: folderIdentity(dataDir), epmd: epmd.pid, epmdPort: ports.epmd }
  let node: Daemon | undefined
  const stop = async (): Promise<void> => {
    if (node) await stopProcess(node.pid, node.alive, STOP_NODE)
    await stopProcess(epmd.pid, epmd.alive, STOP_EPMD)
    remove(runningFile(dataDir))
  }
  const record = (what: Running): void => {
    remove(runningFile(dataDir))
    writeFileSync(runningFile(dataDir), JSON.stringify(what), { mode: 0o600 })
  }
  try {
    record(running)
    node = await spawnDaemon({ command: programs.server, args: [], env, logFile })
    record({ ...running, node: node.pid })
    return { node, stop }
  } catch (error) {
    // For example on a full disk. A process that can't be recorded must not keep running.
    await stop()
    throw error
  }
}

/** Returns true when the node accepts connections from our user, false if it ended or took too long. */
async function ready(node: Daemon, url: string): Promise<boolean> {
  let connected = false
  await poll(async () => {
    if (!node.alive()) return true
    try {
      const connection = await connect(url, { timeout: 5_000 })
      boundClose(connection)
      await connection.close()
      connected = true
    } catch {
      // It is not ready yet.
    }
    return connected
  }, START_MS_MAX)
  return connected
}

/** Removes Erlang's crash reports from a log: their many indented lines would hide the reason. */
const withoutReports = (log: string): string =>
  log.replace(/^\S+ \S+ \[error] <[\d.]+>(?: {2}.*| ?)$\n?/gm, '')

/** The table of quorum queues (`<vhost>_<queue>`), as it is on disk. */
function queueNames(quorum: string): Buffer {
  try {
    return readFileSync(join(quorum, 'names.dets'))
  } catch {
    return Buffer.alloc(0)
  }
}

const epmdArgs = (port: number): string => `-address 127.0.0.1 -port ${port}`

function find(program: string, folders: string[]): string | undefined {
  // Users other than root often have no sbin folder on their PATH.
  const file = [...folders, '/usr/local/sbin', '/usr/sbin']
    .map((folder) => join(folder, program))
    .find((path) => existsSync(path))
  return file && realpathSync(file)
}
