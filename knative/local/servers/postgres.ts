import { existsSync, readFileSync } from 'node:fs'
import { mkdir, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import {
  commandLine,
  fileSize,
  lastLines,
  processesWith,
  spawnDaemon,
  stopProcess,
  textSince,
} from '../processes/daemon.ts'
import type { Daemon } from '../processes/daemon.ts'
import { closeFolder, remove } from '../data-folder/own-files.ts'
import { takePort } from '../processes/ports.ts'
import { environment, findPostgres, SUPERUSER } from './postgres-binaries.ts'
import type { PostgresBinaries } from './postgres-binaries.ts'
import { initialise, placeOf, placesFor } from './postgres-data.ts'
import { keepPassword } from './postgres-password.ts'

export interface PostgresOptions {
  /** The folder for the data, the log and the superuser's password. It is made if it is missing. */
  dataDir: string
  /** Default: a free port, another one at each start. */
  port?: number
  /** Settings of postgresql.conf that replace or extend ours. */
  settings?: Record<string, string>
  /** Called with a sentence that says what the start is waiting for. */
  onProgress?: (sentence: string) => void
}

export interface PostgresServer {
  host: string
  port: number
  pid: number
  logFile: string
  superuserUrl: string
  /** Returns the URL of a database on this server. */
  url(database: string, user: string, password: string): string
  /** Resolves when the server has ended, whether or not it was asked to. */
  exited: Daemon['exited']
  /** Ends all sessions, writes everything to disk, and ends. */
  stop(): Promise<void>
}

const HOST = '127.0.0.1'
const START_MS_MAX = 300_000
/** SIGINT ends sessions and shuts down in order. SIGQUIT ends at once; the next start recovers the data. */
const STOP = [
  ['SIGINT', 20_000],
  ['SIGQUIT', 5_000],
  ['SIGKILL', 5_000],
] as const

const SETTINGS: Record<string, string> = {
  listen_addresses: HOST,
  unix_socket_directories: '',
  max_connections: '200',
  shared_buffers: '128MB',
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  max_wal_size: '1GB',
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_line_prefix: '%m [%p] %q%u@%d ',
}

/**
 * Starts a private Postgres on 127.0.0.1 from the binaries of an npm package. First stops a server that a
 * killed run left on the same folder. If the server doesn't start, throws with the last lines of its log.
 */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const onProgress = options.onProgress ?? (() => {})
  await mkdir(options.dataDir, { recursive: true })
  const dataDir = await realpath(options.dataDir)
  const binaries = await findPostgres(onProgress)
  // Postgres may run as another user, and that user must be able to enter.
  closeFolder(dataDir, binaries.user)
  const settings = { ...SETTINGS, ...options.settings }

  for (const place of placesFor(dataDir)) await stopLeftover(place, onProgress)
  const cluster = await placeOf(dataDir, binaries, onProgress)
  if (!existsSync(join(cluster, 'PG_VERSION'))) {
    onProgress('creating the Postgres data folder')
    await initialise({ dataDir, cluster, binaries, sync: settings.fsync !== 'off' })
  }
  const password = await keepPassword({ dataDir, cluster, binaries, onProgress })
  const logFile = join(dataDir, 'postgres.log')
  const { port: wanted } = options
  const { daemon, port } = await launch({ cluster, binaries, settings, logFile, port: wanted, onProgress })

  const url: PostgresServer['url'] = (database, user, secret) =>
    `postgres://${encodeURIComponent(user)}:${encodeURIComponent(secret)}@${HOST}:${port}/${database}`
  return {
    host: HOST,
    port,
    pid: daemon.pid,
    logFile,
    superuserUrl: url('postgres', SUPERUSER, password),
    url,
    exited: daemon.exited,
    stop: () => stopProcess(daemon.pid, daemon.alive, STOP),
  }
}

/** Stops the server that a killed run left on this folder, if there is one. */
export async function stopLeftoverPostgres(dataDir: string): Promise<void> {
  if (!existsSync(dataDir)) return
  const folder = await realpath(dataDir)
  for (const place of placesFor(folder)) await stopLeftover(place, () => {})
}

interface Launch {
  cluster: string
  binaries: PostgresBinaries
  settings: Record<string, string>
  logFile: string
  port: number | undefined
  onProgress: (sentence: string) => void
}

/** Starts the server. Tries again for 15 s if it ended for a reason that soon passes. */
async function launch(options: Launch): Promise<{ daemon: Daemon; port: number }> {
  const { cluster, binaries, settings, logFile } = options
  const deadline = performance.now() + 15_000
  for (;;) {
    const port = options.port ?? (await takePort())
    const from = fileSize(logFile)
    const args = ['-D', cluster, '-p', String(port)]
    for (const [name, value] of Object.entries(settings)) args.push('-c', `${name}=${value}`)
    const daemon = await spawnDaemon({
      command: binaries.postgres,
      args,
      env: environment(),
      logFile,
      user: binaries.user,
    })
    if (await ready(daemon, cluster, options.onProgress)) return { daemon, port }
    const log = textSince(logFile, from)
    // The sessions of a server that was killed notice that a moment later.
    const sessionsRemain = log.includes('pre-existing shared memory block')
    // Another process may have got the port that was free a moment ago.
    const portTaken = !options.port && log.includes('could not bind IPv4 address')
    if (!(sessionsRemain || portTaken) || performance.now() > deadline)
      throw new Error(`Postgres did not start:\n${lastLines(log)}`)
    await delay(200)
  }
}

/**
 * Returns true when the server accepts connections, false if it ended or took too long. Postgres reports that
 * in line 8 of its pid file.
 */
async function ready(
  daemon: Daemon,
  cluster: string,
  onProgress: (sentence: string) => void,
): Promise<boolean> {
  const started = performance.now()
  let told = started
  while (daemon.alive()) {
    const lines = pidFile(cluster)
    if (Number(lines[0]) === daemon.pid && lines[7]?.trim() === 'ready') return true
    const now = performance.now()
    if (now - started > START_MS_MAX) {
      await stopProcess(daemon.pid, daemon.alive, STOP)
      return false
    }
    if (now - told > 5_000) {
      onProgress('waiting for Postgres, which is recovering from an interruption')
      told = now
    }
    await delay(20)
  }
  return false
}

async function stopLeftover(cluster: string, onProgress: (sentence: string) => void): Promise<void> {
  const file = join(cluster, 'postmaster.pid')
  if (!existsSync(file)) return
  const told = Number(pidFile(cluster)[0])
  const isServer = (pid: number): boolean => {
    const line = commandLine(pid) ?? ''
    return line.includes('postgres') && line.includes(`-D ${cluster} `)
  }
  // A power cut can leave the file empty. Then it doesn't say which process it belongs to.
  const pid = told > 0 ? told : (processesWith(`-D ${cluster} `).find(isServer) ?? 0)
  if (isServer(pid)) {
    onProgress(`stopping the Postgres that an earlier run left behind (process ${pid})`)
    return stopProcess(pid, () => isServer(pid), STOP)
  }
  // Two kinds of files are removed, because Postgres would not start with them: an empty file, which it
  // refuses, and a file whose pid now belongs to another process, which it would take for a server. Postgres
  // needs any other file: it shows that sessions of a killed server may still run.
  if (!(told > 0) || commandLine(told) !== undefined) remove(file)
}

function pidFile(cluster: string): string[] {
  try {
    return readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n')
  } catch {
    return []
  }
}
