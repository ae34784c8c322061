import { randomBytes } from 'node:crypto'
import { existsSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fieldsOf, readText, remove, writeDurably } from '../data-folder/own-files.ts'

/** What stays the same for the life of a data folder: RabbitMQ finds its data by the node's name. */
export interface NodeIdentity {
  name: string
  cookie: string
  user: string
  password: string
  /** Set when the node was ready for the first time. Before that, nobody could have stored anything in it. */
  wasReady?: true
}

export interface Ports {
  amqp: number
  distribution: number
  epmd: number
}

/**
 * Returns the identity of a data folder's node. Makes one if there is none.
 * @throws an error that says what to do, if the file is damaged and the node has data
 */
export function readIdentity(dataDir: string): NodeIdentity {
  const file = identityFile(dataDir)
  const { name, cookie, user, password, wasReady } = fieldsOf(readText(file)) ?? {}
  const isWhole = [name, cookie, user, password].every((value) => typeof value === 'string' && value !== '')
  if (isWhole) return { name, cookie, user, password, ...(wasReady === true && { wasReady }) } as NodeIdentity
  // With another name the node doesn't find its data. Without data there is nothing to find.
  if (existsSync(mnesia(dataDir)))
    throw new Error(
      `${file} is damaged or gone, and RabbitMQ can't find its queues without it. Put a copy of it back, or move the folder away ` +
        `(mv ${dataDir} ${dataDir}.damaged) and start again: events that waited in RabbitMQ are still in each context's ` +
        "outbox, and docs/troubleshooting.md, 'RabbitMQ did not start', says how to publish them again.",
    )
  const identity: NodeIdentity = {
    name: `microbank-${randomBytes(4).toString('hex')}@localhost`,
    cookie: randomBytes(20).toString('hex'),
    user: 'microbank',
    password: randomBytes(20).toString('hex'),
  }
  writeDurably(file, JSON.stringify(identity))
  return identity
}

/**
 * Removes the data of a first start that was interrupted: RabbitMQ makes our user last, and only in an empty
 * folder.
 */
export function removeUnfinished(dataDir: string, { wasReady }: NodeIdentity): void {
  if (!wasReady) remove(mnesia(dataDir))
}

/** Records that the node was ready: from now on its data is kept. */
export function noteReady(dataDir: string, identity: NodeIdentity): void {
  if (!identity.wasReady) writeDurably(identityFile(dataDir), JSON.stringify({ ...identity, wasReady: true }))
}

const identityFile = (dataDir: string): string => join(dataDir, 'identity.json')

/** Writes the files that the node reads when it starts. */
export function writeConfiguration(dataDir: string, identity: NodeIdentity, ports: Ports): void {
  const lines = [
    `listeners.tcp.1 = 127.0.0.1:${ports.amqp}`,
    // They replace the user guest. The node reads them when it starts with an empty folder.
    `default_user = ${identity.user}`,
    `default_pass = ${identity.password}`,
    'disk_free_limit.absolute = 50MB',
    // A quorum queue's log stays in memory up to this size, 64 MB. The default of 512 MB is meant for
    // servers.
    'raft.wal_max_size_bytes = 67108864',
    'log.connection.level = warning',
  ]
  writeAnew(join(dataDir, 'rabbitmq.conf'), `${lines.join('\n')}\n`, 0o600)
  writeAnew(join(dataDir, 'enabled_plugins'), '[].\n', 0o600)
  // Erlang refuses a cookie that others could read.
  writeAnew(join(dataDir, '.erlang.cookie'), identity.cookie, 0o400)
}

/** Writes a file anew: first removes the old one, whatever its permissions are. */
function writeAnew(file: string, text: string, mode: number): void {
  remove(file)
  writeFileSync(file, text, { mode })
}

const mnesia = (dataDir: string): string => join(dataDir, 'mnesia')

/** The folder in which the node keeps its quorum queues: a folder for each, and the table of their names. */
export const quorumFolder = (dataDir: string, { name }: NodeIdentity): string =>
  join(mnesia(dataDir), name, 'quorum', name)

/** The whole environment of the node. It reads nothing of the machine's own RabbitMQ (/etc/rabbitmq). */
export function environment(dataDir: string, identity: NodeIdentity, ports: Ports): NodeJS.ProcessEnv {
  return {
    PATH: pathFolders().join(delimiter),
    HOME: dataDir,
    LC_ALL: 'C.UTF-8',
    // Without this, a node that fails early would write its dump to the folder where the bank was started.
    ERL_CRASH_DUMP: join(dataDir, 'erl_crash.dump'),
    ERL_EPMD_PORT: String(ports.epmd),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODENAME: identity.name,
    RABBITMQ_DIST_PORT: String(ports.distribution),
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    RABBITMQ_CONFIG_FILE: join(dataDir, 'rabbitmq.conf'),
    RABBITMQ_CONFIG_FILES: join(dataDir, 'conf.d'),
    RABBITMQ_ADVANCED_CONFIG_FILE: join(dataDir, 'advanced.config'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(dataDir, 'enabled_plugins'),
    RABBITMQ_MNESIA_BASE: mnesia(dataDir),
    RABBITMQ_LOG_BASE: join(dataDir, 'log'),
    RABBITMQ_LOGS: '-',
    // It shares its processors with the whole bank. A scheduler that is bound to a processor waits for it,
    // even if another is idle.
    RABBITMQ_SCHEDULER_BIND_TYPE: 'u',
    // One scheduler is enough on a laptop. An event then takes a seventh less processor time than with two,
    // which wake each other up. The rest keeps the node's own protocol on this machine.
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '+S 1:1 -kernel inet_dist_use_interface {127,0,0,1}',
    // Makes the start script become the node instead of staying as its parent, so that signals to the process
    // that we start reach the node (rabbitmq-server, last lines).
    RUNNING_UNDER_SYSTEMD: 'true',
  }
}

export const pathFolders = (): string[] => (process.env.PATH ?? '/usr/bin:/bin').split(delimiter)
