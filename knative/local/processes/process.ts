import { spawn, type ChildProcess } from 'node:child_process'
import type { ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import {
  ColdStartWatch,
  type ColdStart,
  type ColdStartOptions,
  type StartRecord,
} from '../serving/cold-start.ts'
import { Upstream } from '../../../eventing/upstream.ts'
import type { ProcessRecords } from './leftovers.ts'
import { giveBack, takePort } from './ports.ts'
import { askForLife, SilenceWatch, type Life } from '../serving/silence.ts'

/** How to start one process of a function. */
export interface ProcessSpec {
  service: string
  /** The file that Node runs. Its arguments are in `args`. */
  script: string
  args: string[]
  env: Record<string, string>
  /** The most time until its port opens. */
  startTimeoutMs: number
  /** The most time from SIGTERM until it ends; then it gets SIGKILL. */
  stopTimeoutMs: number
  onLine: (line: string, stream: 'stdout' | 'stderr', pid: number) => void
  onPhase: ColdStartOptions['onPhase']
  records: ProcessRecords
}

export interface Exit {
  /** A sentence: the code or signal that it ended with, and the last error that it wrote. */
  reason: string
}

/**
 * Function servers close a connection that is idle for 5 s (Node's default). The gateway closes it earlier,
 * so that a request is never sent into a connection that is just being closed.
 */
const IDLE_CONNECTION_MS = 4000

/** One process of a function. On a cluster it would be a pod. */
export class FunctionProcess {
  readonly #spec: ProcessSpec
  #child: ChildProcess | undefined
  #port = 0
  #upstream: Upstream | undefined
  readonly #watch: ColdStartWatch
  #lastError = ''
  #stopping = false
  /**
   * Resolves when the process accepts connections. Rejects if it ends first, or doesn't open its port in
   * time.
   */
  readonly ready: Promise<void>
  /** Resolves when the process has ended, for any reason. Never rejects. */
  readonly exited: Promise<Exit>
  #reportExit!: (exit: Exit) => void
  responses = 0
  /** It broke a connection, so it may be ending. It gets no more requests until that is known. */
  suspect = false
  /** It was found frozen, and is being ended. */
  isFrozen = false
  /** Called if it has requests and has not answered any for a while. */
  onSilent: () => void = () => undefined
  readonly #silence = new SilenceWatch(() => this.onSilent())
  #inFlight = 0
  #whenIdle: (() => void)[] = []
  /** Answers without an end (Server-Sent Events). They must be ended before the process can stop. */
  readonly streams = new Set<ServerResponse>()

  constructor(spec: ProcessSpec) {
    this.#spec = spec
    this.#watch = new ColdStartWatch(spec)
    this.exited = new Promise((resolve) => (this.#reportExit = resolve))
    this.ready = this.#start()
    this.ready.catch(() => this.kill())
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  get port(): number {
    return this.#port
  }

  /** Connections to the process. Throws before it has a port. */
  get upstream(): Upstream {
    if (!this.#upstream) throw new Error('expected a process that has been started')
    return this.#upstream
  }

  get coldStart(): Readonly<ColdStart> {
    return this.#watch.coldStart
  }

  /** What is kept of its start when it is gone. */
  get startRecord(): Readonly<StartRecord> {
    return this.#watch.record
  }

  get inFlight(): number {
    return this.#inFlight
  }

  /** Counts a request that is given to the process. Call `end` when the request is over, however it ended. */
  begin(): void {
    if (this.#inFlight++ === 0) this.#silence.begin()
  }

  end(): void {
    if (--this.#inFlight > 0) return
    this.#silence.end()
    for (const resolve of this.#whenIdle.splice(0)) resolve()
  }

  /** Whether the process answers. A yes takes milliseconds, a no takes seconds. */
  askForLife(): Promise<Life> {
    return askForLife(this.#port)
  }

  /** Resolves when the process has no requests. */
  async idle(): Promise<void> {
    if (this.#inFlight > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve))
  }

  /**
   * Call this when a response begins.
   * @param sentAt when the request was sent, by performance.now()
   * @param told the response's Server-Timing header
   * @returns the Server-Timing header for the caller
   */
  responseBegins(sentAt: number, told: string | undefined): string | undefined {
    this.responses++
    this.#silence.sign()
    return this.#watch.responseBegins(sentAt, told)
  }

  /**
   * Ends the event streams, which never end by themselves. Their clients connect again and get another
   * process.
   */
  endStreams(): void {
    for (const stream of this.streams) stream.end()
  }

  /**
   * Ends the process with SIGTERM and, if it doesn't end in time, with SIGKILL. The caller makes sure that no
   * request is open.
   */
  async stop(): Promise<void> {
    this.#stopping = true
    const late = setTimeout(() => this.kill(), this.#spec.stopTimeoutMs)
    this.#child?.kill('SIGTERM')
    await this.exited
    clearTimeout(late)
  }

  /** SIGKILL for the process and for processes that it has started. */
  kill(): void {
    this.#stopping = true
    if (this.runs && this.pid !== undefined) process.kill(-this.pid, 'SIGKILL')
  }

  /**
   * Whether it has not ended. This turns false shortly before `exited` resolves, which also waits for the
   * last output.
   */
  get runs(): boolean {
    return this.#child?.exitCode === null && this.#child.signalCode === null
  }

  async #start(): Promise<void> {
    try {
      this.#port = await takePort()
      this.#upstream = new Upstream({ host: '127.0.0.1', port: this.#port, idleMs: IDLE_CONNECTION_MS })
      if (this.#stopping) throw new Error('was stopped before it started')
      this.#spawn()
    } catch (error) {
      // There is no process whose end could be heard.
      this.#ended((error as Error).message)
      throw error
    }
    this.#watch.spawned()
    await Promise.race([
      this.#portOpens(performance.now()),
      this.exited.then(({ reason }) => Promise.reject(new Error(reason))),
    ])
    this.#watch.portOpened()
  }

  #spawn(): void {
    const { script, args, env, service, records } = this.#spec
    const child = spawn(process.execPath, [script, ...args], {
      env: { ...env, PORT: String(this.#port) },
      stdio: ['ignore', 'pipe', 'pipe'],
      // It gets a process group of its own: Ctrl-C in the terminal is for the runtime, which stops the
      // functions in order.
      detached: true,
    })
    this.#child = child
    child.once('error', (error) => this.#ended(`could not be started: ${error.message}`))
    // If memory or files do not suffice for one more process, there is none, and perhaps no output to read.
    if (child.pid === undefined) return
    records.add(child.pid, service)
    this.#read(child, 'stdout')
    this.#read(child, 'stderr')
    child.once('exit', (code, signal) => {
      const how = signal ? `was ended by ${signal}` : `ended with code ${code}`
      // Its last output may still be in the pipes. A child process of its own may hold them open for ever.
      const report = () => this.#ended(this.#lastError ? `${how}: ${this.#lastError}` : how)
      const late = setTimeout(report, 100)
      child.once('close', () => {
        clearTimeout(late)
        report()
      })
    })
  }

  #read(child: ChildProcess, stream: 'stdout' | 'stderr'): void {
    const lines = createInterface({ input: child[stream]!, crlfDelay: Infinity })
    lines.on('line', (line) => {
      this.#lastError = errorIn(line, stream) ?? this.#lastError
      this.#spec.onLine(line, stream, child.pid ?? 0)
    })
  }

  #ended(reason: string): void {
    if (this.pid !== undefined) this.#spec.records.remove(this.pid)
    giveBack(this.#port)
    this.#upstream?.destroy()
    this.#reportExit({ reason })
  }

  async #portOpens(since: number): Promise<void> {
    while (!(await accepts(this.#port)) && this.runs) {
      const waitedMs = performance.now() - since
      if (waitedMs > this.#spec.startTimeoutMs)
        throw new Error(`did not open its port within ${this.#spec.startTimeoutMs / 1000} s`)
      await new Promise((resolve) => setTimeout(resolve, waitedMs < 500 ? 2 : 50))
    }
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

const LONGEST_REASON = 300

/**
 * The sentence about an error in a line of output; undefined if there is none. After an uncaught error Node
 * also prints a stack, braces and its own version, which don't say what happened.
 */
function errorIn(line: string, stream: 'stdout' | 'stderr'): string | undefined {
  if (line.startsWith('{"')) {
    try {
      const { level, message } = JSON.parse(line) as { level?: unknown; message?: unknown }
      return level === 'error' && typeof message === 'string' ? message.slice(0, LONGEST_REASON) : undefined
    } catch {
      return undefined
    }
  }
  const says =
    stream === 'stderr' && /\w{3}/.test(line) && !/^\s|^Node\.js v|^node:|^(file:\/\/)?\/.*:\d+$/.test(line)
  return says ? line.slice(0, LONGEST_REASON) : undefined
}
