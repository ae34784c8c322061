import { execFileSync, spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { readFields } from '../knative/local/data-folder/own-files.ts'
import { inherited } from '../knative/local/manifests/environment.ts'
import { openProcessRecords } from '../knative/local/processes/leftovers.ts'
import { takePort } from '../knative/local/processes/ports.ts'
import { openSecrets } from '../knative/local/secrets.ts'
import { poll } from '../knative/local/processes/daemon.ts'
import { SUPERUSER } from '../knative/local/servers/postgres-binaries.ts'
import { placesFor } from '../knative/local/servers/postgres-data.ts'
import { passwordFile } from '../knative/local/servers/postgres-password.ts'
import type { Bench } from './bench.ts'
import { connectDatabases, removeData, type BenchDatabases, type DatabaseServer } from './databases.ts'
import { end as endProcess } from './processes.ts'

/** The whole bank, as `npm start` runs it. */
export interface WholeBank {
  /** URL of the front door. */
  url: string
  databases: BenchDatabases
  /** Returns the URL of a function's own process, past the front door and the gateway. Throws unless the
   * function has exactly one process. */
  functionUrl(name: string): string
  stop(): Promise<void>
}

const START_MS_MAX = 120_000
const STOP_MS_MAX = 60_000
/** Another program may take the port between the search for a free one and the start. */
const ATTEMPTS_MAX = 3

/** Starts the whole bank by the entry point of `npm start`, on `node`, a free port and an empty data
 * folder. */
export async function startWholeBank(bench: Bench, node: string): Promise<WholeBank> {
  const dataDir = join(bench.folder, 'bank')
  for (let attempt = 1; ; attempt++) {
    await removeBank(dataDir)
    await mkdir(dataDir, { recursive: true, mode: 0o755 })
    const { port, isOpen, logFile, end } = await startRuntime(bench, node, dataDir)
    const stop = async (): Promise<void> => {
      await end()
      await removeBank(dataDir)
    }
    bench.undo.add(stop)
    if (isOpen)
      return {
        url: `http://127.0.0.1:${port}`,
        databases: connectDatabases(bench, serverOf(dataDir), { secrets: openSecrets(dataDir, []) }),
        functionUrl: (name) => `http://127.0.0.1:${portOf(processOf(dataDir, name))}`,
        stop,
      }
    if (attempt === ATTEMPTS_MAX) throw new Error(`the whole bank did not start; see ${logFile}`)
    await stop()
  }
}

/** Starts the runtime. Resolves when it is open, or has ended. */
async function startRuntime(bench: Bench, node: string, dataDir: string) {
  const port = await takePort()
  const logFile = join(bench.folder, 'servers.log')
  const log = openSync(logFile, 'a')
  const args = ['knative/local/start.mjs', '--port', String(port), '--data', dataDir]
  const child = spawn(node, args, {
    cwd: bench.root,
    // Whatever else is in the environment could give the bank another database or queue. Emails would be work
    // beside what is measured.
    env: { ...inherited(process.env), MESSAGE_CHANNELS: '' },
    detached: true,
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  const records = openProcessRecords(bench.folder)
  if (child.pid) records.add(child.pid, 'the whole bank')
  const end = async (): Promise<void> => {
    // A bank that is still starting doesn't stop before it has started.
    await endProcess(child, 'SIGTERM', STOP_MS_MAX).catch(() => endProcess(child, 'SIGKILL'))
    if (child.pid) records.remove(child.pid)
  }
  // The runtime writes this file last.
  const announced = (): boolean => existsSync(join(dataDir, 'runtime.json'))
  await poll(() => announced() || child.exitCode !== null, START_MS_MAX)
  return { port, logFile, end, isOpen: announced() && child.exitCode === null }
}

/** Removes the data of a bank, and stops what a killed bench left running on it. */
async function removeBank(dataDir: string): Promise<void> {
  if (existsSync(dataDir)) await openProcessRecords(dataDir).stopLeftovers()
  await removeData(dataDir)
}

/** Reads from a data folder how to reach its Postgres. */
function serverOf(dataDir: string): DatabaseServer {
  const folder = realpathSync(join(dataDir, 'postgres'))
  const file = placesFor(folder)
    .map((place) => join(place, 'postmaster.pid'))
    .find(existsSync)
  if (!file) throw new Error(`no Postgres runs on ${folder}`)
  const host = '127.0.0.1'
  const port = Number(readFileSync(file, 'utf8').split('\n')[3])
  const url: DatabaseServer['url'] = (database, user, secret) =>
    `postgres://${encodeURIComponent(user)}:${encodeURIComponent(secret)}@${host}:${port}/${database}`
  const password = readFileSync(passwordFile(folder), 'utf8').trim()
  return { host, port, superuserUrl: url('postgres', SUPERUSER, password), url }
}

function processOf(dataDir: string, name: string): number {
  const folder = join(dataDir, 'processes')
  const pids = readdirSync(folder).flatMap((file) => {
    const { pid, what } = readFields(join(folder, file)) ?? {}
    return what === name ? [Number(pid)] : []
  })
  if (pids.length !== 1) throw new Error(`expected one process of ${name}, found ${pids.length}`)
  return pids[0]!
}

/** Returns the PORT in a process's environment. For Linux and macOS. */
function portOf(pid: number): number {
  const environment =
    process.platform === 'linux'
      ? readFileSync(`/proc/${pid}/environ`, 'utf8').replaceAll('\0', ' ')
      : execFileSync('ps', ['-Eww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' })
  return Number(/(?:^| )PORT=(\d+)/.exec(environment)?.[1])
}
