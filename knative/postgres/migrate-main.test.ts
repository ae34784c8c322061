import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { emptyDatabase } from '../../tests/support/databases.ts'
import type { TestDatabase } from '../../tests/support/databases.ts'
import { bundle } from '../../tests/support/other-process.ts'
import { until } from '../../tests/support/until.ts'
import { takePort } from '../local/processes/ports.ts'

interface Run {
  lines: Record<string, unknown>[]
  status: number | null
}

let db: TestDatabase
let root: string
let program: Awaited<ReturnType<typeof bundle>>

beforeAll(async () => {
  program = await bundle("import './knative/postgres/migrate-main.ts'")
  db = await emptyDatabase('ledger')
  root = await mkdtemp(join(tmpdir(), 'microbank-migrations-'))
  const folder = join(root, 'functions', 'ledger', 'sql')
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, '0001-coins.sql'), 'create table coins (id int)')
})

afterAll(async () => {
  await Promise.all([program.remove(), db.drop(), rm(root, { recursive: true, force: true })])
})

function migrateJob(args: string[], env: NodeJS.ProcessEnv): { lines: Run['lines']; ended: Promise<Run> } {
  const child = spawn(process.execPath, [program.file, ...args], {
    env: { MIGRATIONS_ROOT: root, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines: Run['lines'] = []
  let rest = ''
  child.stdout.on('data', (chunk: Buffer) => {
    const parts = `${rest}${chunk.toString()}`.split('\n')
    rest = parts.pop() ?? ''
    for (const part of parts) lines.push(JSON.parse(part) as Record<string, unknown>)
  })
  const ended = new Promise<Run>((resolve) => child.once('close', (status) => resolve({ lines, status })))
  return { lines, ended }
}

test('logs one line for each file that it applies', async () => {
  const env = { LEDGER_DATABASE_OWNER_URL: db.ownerUrl }
  const first = await migrateJob(['ledger'], env).ended
  expect(first.status).toBe(0)
  expect(first.lines).toMatchObject([
    { level: 'info', message: 'migration applied', context: 'ledger', name: 'ledger/0001-coins.sql' },
    { level: 'info', message: 'database is up to date', context: 'ledger', migrations: 1 },
  ])

  const second = await migrateJob(['ledger'], env).ended
  expect(second.lines).toMatchObject([{ message: 'database is up to date' }])
})

test('waits for a database that starts later', async () => {
  const postgres = new URL(db.ownerUrl)
  const door = createServer((socket) => {
    const through = connect(Number(postgres.port), postgres.hostname)
    for (const end of [socket, through]) end.on('error', () => {})
    socket.pipe(through).pipe(socket)
  })
  // Nobody else gets it before the door opens.
  const port = await takePort()
  const url = new URL(db.ownerUrl)
  url.port = String(port)

  const job = migrateJob(['ledger'], { LEDGER_DATABASE_OWNER_URL: url.href })
  await until(() => job.lines.some(({ message }) => message === 'waiting for the database'))
  await listen(door, port)
  expect((await job.ended).status).toBe(0)
  await close(door)
})

test('exits with status 1 and logs a sentence if it fails', async () => {
  const wrong = new URL(db.ownerUrl)
  wrong.password = 'wrong'
  for (const [args, env, sentence] of [
    [[], {}, 'expected the names of contexts as arguments'],
    [['ledger'], {}, 'expected a postgres:// URL in LEDGER_DATABASE_OWNER_URL, found none'],
    [['ledger'], { LEDGER_DATABASE_OWNER_URL: wrong.href }, 'password authentication failed'],
  ] as const) {
    const { status, lines } = await migrateJob([...args], env).ended
    expect(status).toBe(1)
    expect(lines).toMatchObject([{ level: 'error', error: expect.stringContaining(sentence) as string }])
  }
})

const listen = (server: Server, port: number): Promise<void> =>
  new Promise((resolve) => void server.listen(port, '127.0.0.1', resolve))

const close = (server: Server): Promise<unknown> => new Promise((resolve) => server.close(resolve))
