import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPostgres, stopLeftoverPostgres } from '../../knative/local/servers/postgres.ts'
import { startRabbitmq, stopLeftoverRabbitmq } from '../../knative/local/servers/rabbitmq.ts'

const PREFIX = 'microbank-tests-'

/** Starts one Postgres and one RabbitMQ node for the whole run, in a temporary folder. Sets their URLs as
 * TEST_POSTGRES_URL (superuser) and TEST_AMQP_URL; a URL that is already set is used instead. TEST_RUN_FOLDER
 * is the folder. */
export default async function globalSetup(): Promise<void> {
  await removeLeftovers()
  const folder = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`))
  // Postgres runs as a user of its own, which must be able to enter the folder.
  await chmod(folder, 0o755)
  process.env.TEST_RUN_FOLDER = folder
  process.env.TEST_DATABASE_PASSWORD ??= randomBytes(12).toString('hex')

  const stops: (() => Promise<void>)[] = []
  globalThis.stopTestServers = async () => {
    await Promise.all(stops.map((stop) => stop()))
    await remove(folder)
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void globalThis.stopTestServers().finally(() => process.exit(1)))
  }
  const started = await Promise.allSettled([
    process.env.TEST_POSTGRES_URL ?? postgres(folder, stops),
    process.env.TEST_AMQP_URL ?? rabbitmq(folder, stops),
  ])
  for (const result of started) {
    if (result.status === 'fulfilled') continue
    await globalThis.stopTestServers()
    throw result.reason
  }
}

async function postgres(folder: string, stops: (() => Promise<void>)[]): Promise<void> {
  // No data here must survive a power cut, so nothing waits for the disk.
  const settings = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', autovacuum: 'off' }
  const server = await startPostgres({ dataDir: join(folder, 'postgres'), settings })
  stops.push(() => server.stop())
  process.env.TEST_POSTGRES_URL = server.superuserUrl
}

async function rabbitmq(folder: string, stops: (() => Promise<void>)[]): Promise<void> {
  const node = await startRabbitmq({ dataDir: join(folder, 'rabbitmq') })
  stops.push(() => {
    // Its data is removed with the folder, so it is killed: an orderly stop would take seconds.
    try {
      process.kill(node.pid, 'SIGKILL')
    } catch {
      // The process has ended already.
    }
    return node.stop()
  })
  process.env.TEST_AMQP_URL = node.url
}

// A child of a killed RabbitMQ may still be writing a file.
const remove = (folder: string): Promise<void> =>
  rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 })

/** Stops the servers of a run that was killed. */
async function removeLeftovers(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(PREFIX) || isRunning(parseInt(name.slice(PREFIX.length)))) continue
    const folder = join(tmpdir(), name)
    await stopLeftoverPostgres(join(folder, 'postgres'))
    await stopLeftoverRabbitmq(join(folder, 'rabbitmq'))
    await remove(folder)
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

declare global {
  // Shared with global-teardown.ts, which jest runs in the same process.
  var stopTestServers: () => Promise<void>
}
