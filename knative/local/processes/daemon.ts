import { spawn, spawnSync } from 'node:child_process'
import { closeSync, openSync, readdirSync, readFileSync, renameSync, statSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

/** A server that we started. A Ctrl-C in our terminal doesn't end it. */
export interface Daemon {
  pid: number
  /** Whether the process still runs. */
  alive(): boolean
  /** Resolves when the process has ended, with how it ended. */
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
}

export interface DaemonOptions {
  command: string
  args: string[]
  env: NodeJS.ProcessEnv
  /** The file that its output is appended to. */
  logFile: string
  cwd?: string
  user?: { uid: number; gid: number } | undefined
}

const LOG_BYTES_MAX = 10_000_000

/**
 * Starts a server in a process group of its own, so that a Ctrl-C reaches only us: functions must finish
 * their work before the server ends. Rejects if the program can't be started.
 */
export async function spawnDaemon(options: DaemonOptions): Promise<Daemon> {
  const log = openLog(options.logFile)
  try {
    const child = spawn(options.command, options.args, {
      env: options.env,
      cwd: options.cwd ?? '/',
      detached: true,
      stdio: ['ignore', log, log],
      ...options.user,
    })
    const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal }))
    })
    await new Promise((resolve, reject) => {
      child.once('spawn', resolve)
      child.once('error', reject)
    })
    return { pid: child.pid!, alive: () => child.exitCode === null && child.signalCode === null, exited }
  } finally {
    closeSync(log)
  }
}

/**
 * Sends a process stronger and stronger signals until it ends.
 * @param steps each signal, and how long to wait for the end after it, in ms
 * @throws if the process still runs after the last step
 */
export async function stopProcess(
  pid: number,
  alive: () => boolean,
  steps: readonly (readonly [signal: NodeJS.Signals, waitMs: number])[],
): Promise<void> {
  for (const [signal, waitMs] of steps) {
    if (!alive()) return
    try {
      process.kill(pid, signal)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
    // A stopped process (SIGSTOP, a debugger) notices no signal but SIGKILL.
    signalWithChildren(pid, 'SIGCONT')
    if (await poll(() => !alive(), waitMs)) return
  }
  if (alive()) throw new Error(`process ${pid} could not be stopped`)
}

/** Checks the condition every 20 ms until it is true. Returns false if it wasn't true in time. */
export async function poll(condition: () => boolean | Promise<boolean>, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs
  while (!(await condition())) {
    if (performance.now() > deadline) return false
    await delay(20)
  }
  return true
}

/**
 * The command line of a process; undefined if no such process runs. A zombie (a process that has ended, but
 * that nobody has waited for; common under a container's PID 1) counts as ended.
 */
export function commandLine(pid: number): string | undefined {
  if (!Number.isInteger(pid) || pid <= 0) return undefined
  if (process.platform !== 'linux') {
    const ps = spawnSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' })
    return ps.status === 0 ? ps.stdout.trim() || undefined : undefined
  }
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim() || undefined
  } catch {
    return undefined
  }
}

/** The pids of the processes that have `text` in their command line. */
export function processesWith(text: string): number[] {
  const pids =
    process.platform === 'linux'
      ? readdirSync('/proc')
      : (spawnSync('ps', ['-A', '-o', 'pid='], { encoding: 'utf8' }).stdout ?? '').split('\n')
  return pids.map(Number).filter((pid) => commandLine(pid)?.includes(text))
}

/** Kills a process and the processes that it started, which may be frozen and not notice its end. */
export const killWithChildren = (pid: number): void => signalWithChildren(pid, 'SIGKILL')

function signalWithChildren(pid: number, signal: NodeJS.Signals): void {
  for (const one of [...childrenOf(pid), pid])
    try {
      process.kill(one, signal)
    } catch {
      // It has ended already.
    }
}

function childrenOf(parent: number): number[] {
  if (process.platform !== 'linux') {
    const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
    const pairs = (stdout ?? '')
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/\s+/).map(Number))
    return pairs.flatMap(([pid, ppid]) => (pid && ppid === parent ? [pid] : []))
  }
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && parentOf(pid) === parent)
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return undefined
  }
}

/** The text that was added to a file since it had `from` bytes. */
export function textSince(file: string, from: number): string {
  return readFileSync(file).subarray(from).toString('utf8')
}

/** The last lines of a log, indented, for an error message. */
export function lastLines(text: string, count = 8): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  return lines
    .slice(-count)
    .map((line) => `  ${line}`)
    .join('\n')
}

export function fileSize(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}

function openLog(file: string): number {
  if (fileSize(file) > LOG_BYTES_MAX) renameSync(file, `${file}.1`)
  return openSync(file, 'a', 0o600)
}
