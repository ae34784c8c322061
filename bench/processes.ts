import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { poll } from '../knative/local/processes/daemon.ts'
import { inherited } from '../knative/local/manifests/environment.ts'
import { openProcessRecords } from '../knative/local/processes/leftovers.ts'
import { takePort } from '../knative/local/processes/ports.ts'
import type { Bench } from './bench.ts'

/** A measured server in a process of its own. */
export interface ServerProcess {
  pid: number
  port: number
  url: string
  /** Time from just before the spawn to the first 200 of the awaited path, in ms. */
  firstAnswerMs: number
  /** Kills the process with kill -9. What must survive that, does, and the next measurement doesn't wait. */
  kill(): Promise<void>
}

export interface ServerOptions {
  /** Path of the script that Node runs. */
  script: string
  env: Record<string, string>
  /** By default a free port. */
  port?: number
  /** Path of the Node that runs it; by default the one that runs the bench. */
  node?: string
  /** Request that is repeated until the server answers 200; by default /healthz. */
  firstRequest?: { path: string; headers?: Record<string, string> }
}

const START_MS_MAX = 20_000

/** Starts a `node:http` server of ten lines, and ends it. Resolves with the time from its spawn to its first
 * answer, in ms. */
export async function firstAnswerOfNode(bench: Bench): Promise<number> {
  const server = await startServer(bench, { script: join(bench.folder, 'bare.cjs'), env: {} })
  await server.kill()
  return server.firstAnswerMs
}

/** Starts a server with PORT in its environment, and waits for its first 200. */
export async function startServer(bench: Bench, options: ServerOptions): Promise<ServerProcess> {
  const port = options.port ?? (await takePort())
  const logFile = join(bench.folder, 'servers.log')
  const log = openSync(logFile, 'a')
  const startedAt = performance.now()
  const child = spawn(options.node ?? process.execPath, [options.script], {
    cwd: bench.root,
    env: {
      ...inherited(process.env),
      NODE_ENV: 'production',
      ...options.env,
      PORT: String(port),
      HOST: '127.0.0.1',
    },
    // The server gets a process group of its own, so that Ctrl-C reaches only the bench, which stops its
    // servers in order.
    detached: true,
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  // The process is recorded on disk. If this bench is killed, the next one can stop the servers that it left
  // running.
  const records = openProcessRecords(bench.folder)
  if (child.pid) records.add(child.pid, options.script)
  const kill = async (): Promise<void> => {
    await end(child, 'SIGKILL')
    if (child.pid) records.remove(child.pid)
  }
  bench.undo.add(kill)
  const { path = '/healthz', headers = {} } = options.firstRequest ?? {}
  await untilAnswered(child, { port, path, headers }, logFile)
  const firstAnswerMs = performance.now() - startedAt
  return { pid: child.pid!, port, url: `http://127.0.0.1:${port}`, firstAnswerMs, kill }
}

/** One of the bench's programs, which takes jobs and answers each. */
export interface RunningProgram {
  /** Sends a job and resolves with its answer. One at a time. */
  ask<Job extends object, Answer>(job: Job): Promise<Answer>
  end(): Promise<void>
}

/** Starts one of the bench's programs, which then waits for a job. */
export function openProgram(bench: Bench, name: string, env: Record<string, string> = {}): RunningProgram {
  const child = spawn(process.execPath, [join(bench.folder, `${name}.cjs`)], {
    cwd: bench.root,
    env: { ...process.env, ...env },
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  bench.undo.add(() => end(child, 'SIGKILL'))
  return {
    ask: <Job extends object, Answer>(job: Job) =>
      new Promise<Answer>((resolve, reject) => {
        const fail = (code: number | null, signal: NodeJS.Signals | null): void =>
          reject(new Error(`${name} ended with ${signal ?? `status ${code}`} before it had answered`))
        child.once('exit', fail)
        child.once('message', (message) => {
          child.off('exit', fail)
          resolve(message as Answer)
        })
        child.send(job)
      }),
    end: () => end(child, 'SIGTERM'),
  }
}

/** Runs one of the bench's programs: sends it `job` and resolves with its one answer. */
export async function runProgram<Job extends object, Answer>(
  bench: Bench,
  name: string,
  job: Job,
): Promise<Answer> {
  const program = openProgram(bench, name)
  const answer = await program.ask<Job, Answer>(job)
  await program.end()
  return answer
}

/** Returns the processor time of a process since its start, and its memory. For Linux and macOS. */
export function usageOf(pid: number): { cpuSeconds: number; rssBytes: number } {
  if (process.platform === 'linux') {
    // Fields 14 and 15 of the line, in ticks of 10 ms. They are counted from after the name, which may hold
    // spaces.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')
    const rss = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
    return { cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100, rssBytes: Number(rss?.[1]) * 1024 }
  }
  const text = execFileSync('ps', ['-o', 'time=,rss=', '-p', String(pid)], { encoding: 'utf8' })
  const [, minutes, seconds, kilobytes] = /(\d+):([\d.]+)\s+(\d+)/.exec(text)?.map(Number) ?? []
  return { cpuSeconds: minutes! * 60 + seconds!, rssBytes: kilobytes! * 1024 }
}

async function untilAnswered(
  child: ChildProcess,
  target: { port: number; path: string; headers: Record<string, string> },
  logFile: string,
): Promise<void> {
  const deadline = performance.now() + START_MS_MAX
  while ((await statusOf(target)) !== 200) {
    if (child.exitCode !== null || performance.now() > deadline)
      throw new Error(`${child.spawnargs.join(' ')} gave no 200 for ${target.path}; see ${logFile}`)
    // The wait is short, because it is part of what is measured.
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

function statusOf({ port, path, headers }: { port: number; path: string; headers: Record<string, string> }) {
  return new Promise<number>((resolve) => {
    const sent = request({ host: '127.0.0.1', port, path, headers, agent: false }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode!))
    })
    sent.once('error', () => resolve(0))
    sent.end()
  })
}

/** Ends a process and waits until it has ended. Throws if that takes longer than 5 s, or the given time. */
export async function end(child: ChildProcess, signal: NodeJS.Signals, timeoutMs = 5_000): Promise<void> {
  const ended = (): boolean => child.exitCode !== null || child.signalCode !== null
  if (ended()) return
  child.kill(signal)
  if (!(await poll(ended, timeoutMs))) throw new Error(`process ${child.pid} could not be stopped`)
}
