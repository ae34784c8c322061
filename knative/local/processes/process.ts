import { spawn, type ChildProcess } from 'node:child_process'
import { Agent, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { ColdStartWatch, type ColdStart, type ColdStartOptions } from '../serving/cold-start.ts'
import type { ProcessRecords } from './leftovers.ts'
import { giveBack, takePort } from './ports.ts'
import { askForLife, SilenceWatch, type Life } from '../serving/silence.ts'

/** What one process of a function is started with. */
export interface ProcessSpec {
  service: string
  /** File that Node runs, and its arguments. */
  script: string
  args: string[]
  env: Record<string, string>
  /** How long its port may take to open. */
  startTimeoutMs: number
  /** How long it may take to end after SIGTERM, before SIGKILL. */
  stopTimeoutMs: number
  onLine: (line: string, stream: 'stdout' | 'stderr', pid: number) => void
  onPhase: ColdStartOptions['onPhase']
  records: ProcessRecords
}

export interface Exit {
  /** A sentence: with which code or signal it ended, and the last error it wrote. */
  reason: string
}

/** Function servers close a connection that is idle for 5 s (Node's default). We let go of it first, so that
 * a request is never sent into a connection that is just being closed. */
const IDLE_CONNECTION_MS = 4000

/** One process of a function: on a cluster it would be a pod. */
export class FunctionProcess {
  readonly #spec: ProcessSpec
  #child: ChildProcess | undefined
  #port = 0
  readonly #watch: ColdStartWatch
  #lastError = ''
  #stopping = false
  /** Resolves when it accepts connections; rejects where it ends, or doesn't open its port in time. */
  readonly ready: Promise<void>
  /** Resolves when it has ended, for whatever reason; never rejects. */
  readonly exited: Promise<Exit>
  #reportExit!: (exit: Exit) => void
  readonly agent = new Agent({ keepAlive: true, timeout: IDLE_CONNECTION_MS, maxFreeSockets: 64 })
  responses = 0
  /** It broke a connection: perhaps it is ending, so it gets no more requests until that is known. */
  suspect = false
  /** It was found standing still, and is ended. */
  isFrozen = false
  /** Called where it has requests and has not answered any for a while. */
  onSilent: () => void = () => undefined
  readonly #silence = new SilenceWatch(() => this.onSilent())
  #inFlight = 0
  #whenIdle: (() => void)[] = []
  /** Answers without an end (Server-Sent Events), which must be ended for the process to stop. */
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

  get coldStart(): Readonly<ColdStart> {
    return this.#watch.coldStart
  }

  get inFlight(): number {
    return this.#inFlight
  }

  /** A request is given to it; `end` when that is over, however it ended. */
  begin(): void {
    if (this.#inFlight++ === 0) this.#silence.begin()
  }

  end(): void {
    if (--this.#inFlight > 0) return
    this.#silence.end()
    for (const resolve of this.#whenIdle.splice(0)) resolve()
  }

  /** Whether it answers, which takes it milliseconds; seconds until it is known that it doesn't. */
  askForLife(): Promise<Life> {
    return askForLife(this.#port)
  }

  /** Resolves when it has no requests. */
  async idle(): Promise<void> {
    if (this.#inFlight > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve))
  }

  /** A response to a request begins, with the header Server-Timing `told`. @returns that header for the
   * caller */
  responseBegins(sentAt: number, told: string | undefined): string | undefined {
    this.responses++
    this.#silence.sign()
    return this.#watch.responseBegins(sentAt, told)
  }

  /** An event stream never ends by itself. Its client connects again, and gets another process. */
  endStreams(): void {
    for (const stream of this.streams) stream.end()
  }

  /** SIGTERM, and SIGKILL where that doesn't end it in time. The caller has seen to it that no request is
   * under way. */
  async stop(): Promise<void> {
    this.#stopping = true
    const late = setTimeout(() => this.kill(), this.#spec.stopTimeoutMs)
    this.#child?.kill('SIGTERM')
    await this.exited
    clearTimeout(late)
  }

  /** SIGKILL for it and for what it may have started itself. */
  kill(): void {
    this.#stopping = true
    if (this.runs && this.pid !== undefined) process.kill(-this.pid, 'SIGKILL')
  }

  /** Whether it has not ended; false a little before `exited` resolves, which waits for its last words. */
  get runs(): boolean {
    return this.#child?.exitCode === null && this.#child.signalCode === null
  }

  async #start(): Promise<void> {
    this.#port = await takePort()
    if (this.#stopping) {
      this.#ended('was stopped before it started')
      throw new Error('was stopped before it started')
    }
    this.#spawn()
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
      // A group of its own: Ctrl-C in the terminal is for the runtime, which stops the functions in order.
      detached: true,
    })
    this.#child = child
    if (child.pid !== undefined) records.add(child.pid, service)
    this.#read(child, 'stdout')
    this.#read(child, 'stderr')
    child.once('error', (error) => this.#ended(`could not be started: ${error.message}`))
    child.once('exit', (code, signal) => {
      const how = signal ? `was ended by ${signal}` : `ended with code ${code}`
      // What it wrote last may still be in the pipes; a child of its own may hold them open for ever.
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
    this.agent.destroy()
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

/** The sentence about an error in a line of output, if there is one. Node ends an uncaught error's report
 * with a stack, braces and its own version, none of which says what happened. */
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
