import { spawn, type ChildProcess } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg, { type QueryResultRow } from 'pg'
import { readFields } from '../../knative/local/data-folder/own-files.ts'
import { STATUS_HOST } from '../../knative/local/gateway/hosts.ts'
import type { RuntimeStatus } from '../../knative/local/status.ts'
import { buildOnce } from './built.ts'
import { tickHeaders } from './events.ts'
import { request, type Answer, type RequestOptions } from './host.ts'
import { ROOT } from './repository.ts'
import { until } from './until.ts'

export interface Bank {
  url: string
  dataDir: string
  /** Returns everything that it has printed so far. */
  output(): string
  /** Sends a request to the front door. */
  call(method: string, path: string, options?: RequestOptions): Promise<Answer>
  /** Sends a request to a host of the bank: `transfer`, `default-broker-ingress`. */
  callHost(name: string, method: string, path: string, options?: RequestOptions): Promise<Answer>
  /** Sends an event to a function, as a PingSource does when its time comes. */
  ping(name: string): Promise<void>
  /** Resolves with what `npm run ps` shows. */
  status(): Promise<RuntimeStatus>
  /** Returns the process ids of the functions that run now, or of one of them. */
  functionPids(name?: string): number[]
  /** Returns the process id of the private RabbitMQ node. */
  rabbitmqPid(): number
  /** Returns the process id of Postgres. */
  postgresPid(): number
  /** Runs a statement on a context's database as its superuser. */
  sql<Row extends QueryResultRow>(context: string, text: string): Promise<Row[]>
  stop(): Promise<void>
  /** Kills the runtime alone, with kill -9. */
  kill(): Promise<void>
}

export interface BankOptions {
  /** If omitted, a folder that is removed in the end. */
  dataDir?: string
  args?: string[]
  env?: Record<string, string>
  /** Also builds it, as `npm start` does. Otherwise the whole run of jest uses one build. */
  builds?: boolean
}

/** Starts the bank as `npm start` does, on a free port. */
export async function startBank(options: BankOptions = {}): Promise<Bank> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'microbank-bank-'))
  // Postgres runs as a user of its own, which must be able to enter the folder.
  chmodSync(dataDir, 0o755)
  if (!options.builds) await buildOnce()
  const program = options.builds ? 'knative/local/start.mjs' : 'dist/local/runtime.cjs'
  const args = [program, '--port', '0', '--data', dataDir, ...(options.args ?? [])]
  // Emails cost time, so a test that looks at none goes without.
  const env = { ...process.env, MESSAGE_CHANNELS: '', ...options.env }
  const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()))

  await until(() => output.includes('The bank is open') || hasEnded(child), {
    timeoutMs: 240_000,
    what: 'the bank to open',
  }).catch((error: Error) => {
    child.kill()
    throw new Error(`${error.message}\n${output}`)
  })
  if (hasEnded(child)) throw new Error(`the bank did not start:\n${output}`)
  const url = `http://127.0.0.1:${runtimeIn(dataDir).port}`
  return {
    url,
    dataDir,
    output: () => output,
    call: (method, path, given) => request(method, url + path, given),
    callHost: (name, method, path, given) =>
      request(method, url + path, {
        ...given,
        headers: { ...given?.headers, host: `${name}.microbank.localhost` },
      }),
    ping: (name) => ping(dataDir, name),
    status: () => readStatus(dataDir),
    functionPids: (name) =>
      readdirSync(join(dataDir, 'processes')).flatMap((file) =>
        /^\d+\.json$/.test(file) && (name === undefined || nameIn(dataDir, file) === name)
          ? parseInt(file)
          : [],
      ),
    postgresPid: () =>
      Number(readFileSync(join(dataDir, 'postgres/data/postmaster.pid'), 'utf8').split('\n')[0]),
    rabbitmqPid: () =>
      (JSON.parse(readFileSync(join(dataDir, 'rabbitmq/running.json'), 'utf8')) as { node: number }).node,
    sql: (context, text) => query(dataDir, context, text),
    async stop() {
      await end(child, 'SIGTERM')
      // A child of a killed server may still be writing a file.
      if (!options.dataDir) rmSync(dataDir, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 })
    },
    kill: () => end(child, 'SIGKILL'),
  }
}

/** Returns the credentials of the operator that a new bank has printed. */
export function operatorOf(bank: Pick<Bank, 'output'>): { email: string; password: string } {
  const [, email, password] = /Operator\s+(\S+)\s+password (\S+)/.exec(bank.output()) ?? []
  if (!email || !password) throw new Error(`expected the operator's password in:\n${bank.output()}`)
  return { email, password }
}

/** Logs in the operator that a new bank has printed. Resolves with their access token. */
export async function loginOperator(bank: Bank): Promise<string> {
  const { email, password } = operatorOf(bank)
  const login = await bank.call('POST', '/api/auth/login', { body: { email, password } })
  if (login.status !== 200) throw new Error(`the operator could not log in: ${JSON.stringify(login.body)}`)
  return login.body.access_token as string
}

// A process that ends takes its record with it, and one that starts may be writing it still.
const nameIn = (dataDir: string, file: string) => readFields(join(dataDir, 'processes', file))?.what

async function query<Row extends QueryResultRow>(
  dataDir: string,
  database: string,
  text: string,
): Promise<Row[]> {
  const folder = join(dataDir, 'postgres')
  const port = readFileSync(join(folder, 'data/postmaster.pid'), 'utf8').split('\n')[3]
  const password = readFileSync(join(folder, 'superuser-password'), 'utf8').trim()
  const client = new pg.Client({
    host: '127.0.0.1',
    port: Number(port),
    user: 'postgres',
    password,
    database,
  })
  await client.connect()
  try {
    return (await client.query<Row>(text)).rows
  } finally {
    await client.end()
  }
}

async function readStatus(dataDir: string): Promise<RuntimeStatus> {
  const url = `http://127.0.0.1:${runtimeIn(dataDir).internalPort}/status`
  return (await request('GET', url, { headers: { host: STATUS_HOST } })).body as RuntimeStatus
}

async function ping(dataDir: string, name: string): Promise<void> {
  const { status } = await request('POST', `http://127.0.0.1:${runtimeIn(dataDir).internalPort}/events`, {
    headers: tickHeaders(name),
    body: {},
  })
  if (status !== 204) throw new Error(`${name} answered ${status}`)
}

const runtimeIn = (dataDir: string): { port: number; internalPort: number } =>
  JSON.parse(readFileSync(join(dataDir, 'runtime.json'), 'utf8')) as { port: number; internalPort: number }

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (hasEnded(child)) return
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.kill(signal)
  await exited
}
