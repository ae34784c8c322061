import { setTimeout as delay } from 'node:timers/promises'
import { createLog } from '../../monitoring/log.ts'
import { createClient } from './create-client.ts'
import { meterRole } from './databases.ts'
import { migrate, readMigrations } from './migrate.ts'

/**
 * Applies the migrations of the contexts named as arguments; a Job runs this on a cluster. Reads
 * `<CONTEXT>_DATABASE_OWNER_URL` or, if that is not set, `<CONTEXT>_DATABASE_URL`. MIGRATIONS_ROOT is the
 * folder that holds the SQL files (default: the working directory). If a migration fails, the exit status is
 * 1 and a log line says why.
 */
const log = createLog({ service: 'migrate' })
const START_MS_MAX = 60_000

async function main(contexts: readonly string[]): Promise<void> {
  if (contexts.length === 0)
    throw new Error('expected the names of contexts as arguments, e.g. identity ledger')
  const root = process.env.MIGRATIONS_ROOT ?? process.cwd()
  for (const context of contexts) {
    const variable = `${context.toUpperCase()}_DATABASE`
    const ownerUrl = process.env[`${variable}_OWNER_URL`] ?? process.env[`${variable}_URL`]
    if (!ownerUrl) throw new Error(`expected a postgres:// URL in ${variable}_OWNER_URL, found none`)
    const migrations = await readMigrations(root, context)
    await databaseAnswers(context, ownerUrl)
    await migrate({
      ownerUrl,
      functionsRole: context,
      meterRole: meterRole(context),
      context,
      migrations,
      log: (applied) => log.info('migration applied', { ...applied }),
    })
    log.info('database is up to date', { context, migrations: migrations.length })
  }
}

/**
 * Waits until the database answers: on a cluster this program may start before the database does. Throws if
 * the user or the password is wrong, or if the database doesn't answer in time.
 */
async function databaseAnswers(context: string, url: string): Promise<void> {
  const deadline = performance.now() + START_MS_MAX
  for (;;) {
    const client = createClient({ connectionString: url, connectionTimeoutMillis: 5_000 })
    try {
      await client.connect()
      return await client.end()
    } catch (error) {
      const { code = '', message } = error as { code?: string; message: string }
      const reason = message || code
      // Class 28 is a wrong user or password. Waiting doesn't help.
      if (code.startsWith('28') || performance.now() > deadline) {
        throw new Error(`the ${context} database does not answer: ${reason}`, { cause: error })
      }
      log.info('waiting for the database', { context, reason })
      await delay(1_000)
    }
  }
}

main(process.argv.slice(2)).catch((error: Error) => {
  log.error('migration failed', { error: error.message })
  process.exitCode = 1
})
