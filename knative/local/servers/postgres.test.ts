import { spawn } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { inOtherProcess } from '../../../tests/support/other-process.ts'
import { until } from '../../../tests/support/until.ts'
import { startPostgres } from './postgres.ts'
import type { PostgresOptions, PostgresServer } from './postgres.ts'

const settings = { fsync: 'off' }
const running: PostgresServer[] = []
const folders: string[] = []

afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop()))
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })))
})

async function folderFor(mode: number): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'microbank-postgres-'))
  folders.push(folder)
  await chmod(folder, mode)
  return folder
}

async function start(options: PostgresOptions): Promise<PostgresServer> {
  const server = await startPostgres({ settings, ...options })
  running.push(server)
  return server
}

async function connected<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

const value = async (url: string, sql: string): Promise<unknown> =>
  connected(url, async (client) => Object.values((await client.query(sql)).rows[0] as object)[0])

test('starts with checksums, UTF-8 and durable commits, and only for this machine', async () => {
  const dataDir = await folderFor(0o755)
  const server = await start({ dataDir, settings: {} })
  const shown = (name: string): Promise<unknown> => value(server.superuserUrl, `show ${name}`)

  expect(await shown('data_checksums')).toBe('on')
  expect(await shown('server_encoding')).toBe('UTF8')
  expect(await shown('fsync')).toBe('on')
  expect(await shown('synchronous_commit')).toBe('on')
  expect(await shown('listen_addresses')).toBe('127.0.0.1')
})

test('asks every session for a password, and hides its own', async () => {
  const dataDir = await folderFor(0o755)
  const server = await start({ dataDir })

  expect(statSync(join(dataDir, 'superuser-password')).mode & 0o777).toBe(0o600)
  const wrong = server.url('postgres', 'postgres', 'wrong')
  await expect(value(wrong, 'select 1')).rejects.toThrow('password authentication failed')
})

test('keeps what was stored when it is stopped and started again', async () => {
  const dataDir = await folderFor(0o755)
  const first = await start({ dataDir })
  await connected(first.superuserUrl, (client) => client.query("create table kept as select 'gold' as what"))
  await first.stop()
  await expect(value(first.superuserUrl, 'select 1')).rejects.toThrow('ECONNREFUSED')

  const second = await start({ dataDir })
  expect(await value(second.superuserUrl, 'select what from kept')).toBe('gold')
})

test('the next start stops a server whose parent was killed with kill -9', async () => {
  const dataDir = await folderFor(0o755)
  const { child, message } = await inOtherProcess<{ url: string }>(`
    import { startPostgres } from './knative/local/servers/postgres.ts'
    startPostgres(${JSON.stringify({ dataDir, settings })})
      .then(({ superuserUrl }) => process.send!({ url: superuserUrl }))
    setInterval(() => {}, 1000)`)
  await connected(message.url, (client) => client.query("create table kept as select 'gold' as what"))
  child.kill('SIGKILL')
  await until(() => child.signalCode)
  expect(await value(message.url, 'select 1')).toBe(1)

  const server = await start({ dataDir })
  await expect(value(message.url, 'select 1')).rejects.toThrow('ECONNREFUSED')
  expect(await value(server.superuserUrl, 'select what from kept')).toBe('gold')
})

test('starts again at once after kill -9 of the server itself, with what was committed', async () => {
  const dataDir = await folderFor(0o755)
  const first = await start({ dataDir, settings: {} })
  const session = new Client({ connectionString: first.superuserUrl })
  session.on('error', () => {})
  await session.connect()
  await session.query("create table kept as select 'gold' as what")
  // This session is busy, not asleep. It notices the end of the server only when its work is done, and keeps
  // its memory until then.
  const loop = "while pg_stat_file('PG_DONE', true) is null loop end loop"
  const busy = session.query(`do $$ begin ${loop}; end $$`).catch(() => {})
  await until(async () => {
    const active = "select count(*)::int from pg_stat_activity where state = 'active' and query like 'do %'"
    return value(first.superuserUrl, active)
  })
  process.kill(first.pid, 'SIGKILL')
  await first.exited

  const second = start({ dataDir, port: first.port, settings: {} })
  await until(() => readFileSync(first.logFile, 'utf8').includes('pre-existing shared memory block'))
  await writeFile(join(dataDir, 'data', 'PG_DONE'), '')
  expect(await value((await second).superuserUrl, 'select what from kept')).toBe('gold')
  await busy
})

test('a pid file whose pid now belongs to another process does no harm', async () => {
  const dataDir = await folderFor(0o755)
  const first = await start({ dataDir })
  const pidFile = join(dataDir, 'data', 'postmaster.pid')
  const content = await readFile(pidFile, 'utf8')
  await first.stop()
  // The process runs as the same user as Postgres, because Postgres recognizes processes of other users as
  // foreign.
  const { uid, gid } = statSync(join(dataDir, 'data'))
  const stranger = spawn('sleep', ['600'], { uid, gid, stdio: 'ignore' })
  await writeFile(pidFile, content.replace(/^\d+/, String(stranger.pid)))

  try {
    const second = await start({ dataDir })
    expect(await value(second.superuserUrl, 'select 1')).toBe(1)
    expect(stranger.exitCode ?? stranger.signalCode).toBeNull()
  } finally {
    stranger.kill()
  }
})

test('starts with a damaged password file and a damaged pid file', async () => {
  const dataDir = await folderFor(0o755)
  const first = await start({ dataDir })
  await connected(first.superuserUrl, (client) => client.query("create table kept as select 'gold' as what"))
  await first.stop()
  const password = join(dataDir, 'superuser-password')
  const pidFile = join(dataDir, 'data', 'postmaster.pid')
  for (const damage of [
    async () => writeFile(password, ''),
    async () => writeFile(password, Buffer.alloc(32)),
    async () => writeFile(password, 'rubbish'),
    async () => rm(password),
    async () => writeFile(pidFile, ''),
    async () => writeFile(pidFile, Buffer.alloc(80)),
    async () => writeFile(pidFile, 'rubbish\n\n'),
    async () => void (await mkdir(join(pidFile, 'inside'), { recursive: true })),
  ]) {
    await damage()
    const server = await start({ dataDir })
    expect(await value(server.superuserUrl, 'select what from kept')).toBe('gold')
    await server.stop()
  }
  await rm(password)
  await mkdir(password)
  await expect(start({ dataDir })).rejects.toThrow(`${password} can't be read: it is a folder`)
})

test('a leftover server is found even if its pid file is damaged', async () => {
  const dataDir = await folderFor(0o755)
  const first = await start({ dataDir })
  await writeFile(join(dataDir, 'data', 'postmaster.pid'), '')
  await start({ dataDir })
  await first.exited
})

test('closes its folder to others, even if it was open before', async () => {
  const dataDir = await folderFor(0o777)
  await start({ dataDir })
  expect(statSync(dataDir).mode & 0o067).toBe(0)
  expect(statSync(join(dataDir, 'postgres.log')).mode & 0o077).toBe(0)
})

test('says why it does not start, with the last lines of its log', async () => {
  const dataDir = await folderFor(0o755)
  await expect(start({ dataDir, settings: { max_connections: 'many' } })).rejects.toThrow(
    /Postgres did not start:[^]*invalid value for parameter "max_connections": "many"/,
  )
})

// Only root runs Postgres as another user, which may be locked out.
const asRoot = process.getuid?.() === 0 ? test : test.skip

asRoot('keeps the data elsewhere, and says so, when its user may not enter the folder', async () => {
  const locked = await folderFor(0o700)
  const dataDir = join(locked, 'microbank')
  await mkdir(dataDir)
  const told: string[] = []
  const first = await start({ dataDir, onProgress: (sentence) => told.push(sentence) })
  const [place] = told.join('\n').match(/\/var\/lib\/microbank\/[0-9a-f]{12}/) ?? []
  expect(told.join('\n')).toContain("because its user can't enter")
  if (!place) throw new Error('it did not say where')
  folders.push(place)
  await connected(first.superuserUrl, (client) => client.query("create table kept as select 'gold' as what"))
  await first.stop()

  const second = await start({ dataDir })
  expect(await value(second.superuserUrl, 'select what from kept')).toBe('gold')
  expect(existsSync(join(dataDir, 'data'))).toBe(false)
})
