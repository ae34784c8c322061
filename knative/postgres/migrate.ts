import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { escapeIdentifier, type Client } from 'pg'
import { createClient } from './create-client.ts'

export interface Migration {
  /** `<folder>/<file>`, e.g. `ledger/001-accounts.sql`. */
  name: string
  sql: string
}

export interface MigrateOptions {
  /** postgres:// URL of the role that owns the database. */
  ownerUrl: string
  /** The role that the functions connect as. It replaces `:functions_role` in the files. */
  functionsRole: string
  /** The role that reads facts; it replaces `:meter_role`. If omitted, the functions' role may read them. */
  meterRole?: string | undefined
  context: string
  migrations: readonly Migration[]
  /** Called for each file that was applied, with its name and how long it took, in ms. */
  log?: (applied: { context: string; name: string; duration_ms: number }) => void
}

/** The key of the lock that is held while a database is migrated. Such a lock counts per database. */
const LOCK = 6_927_001

/**
 * Returns the migrations of a context in the order in which they are applied: those of the function host,
 * those for events, those of the context; within each, by number.
 * @param root the folder that holds `eventing/` and `functions/`
 * @throws if there are no migrations at all
 */
export async function readMigrations(root: string, context: string): Promise<Migration[]> {
  const folders = [
    ['host', join(root, 'functions', 'host', 'database', 'sql')],
    ['eventing', join(root, 'eventing', 'sql')],
    [context, join(root, 'functions', context, 'sql')],
  ] as const
  const migrations: Migration[] = []
  for (const [owner, folder] of folders) {
    if (!existsSync(folder)) continue
    const files = (await readdir(folder)).filter((file) => file.endsWith('.sql')).sort()
    for (const file of files) {
      migrations.push({ name: `${owner}/${file}`, sql: await readFile(join(folder, file), 'utf8') })
    }
  }
  if (migrations.length === 0) {
    throw new Error(`expected migrations in ${folders.map(([, folder]) => folder).join(', ')}, found none`)
  }
  return migrations
}

/**
 * Applies each file once, in a transaction of its own. Any number of processes may call this at the same
 * time: the first does the work, and the others wait for it.
 * @throws if a file was changed after it had been applied, or if the database has a migration that is not
 *   among those given; the database is then unchanged
 */
export async function migrate(options: MigrateOptions): Promise<void> {
  const client = createClient({ connectionString: options.ownerUrl, application_name: 'migrate' })
  await client.connect()
  try {
    // The session holds the lock, so the lock is released even if this process is killed.
    await client.query('select pg_advisory_lock($1)', [LOCK])
    const applied = await readApplied(client)
    refuseStrangers(options, applied)
    for (const migration of options.migrations) {
      if (!applied.has(migration.name)) await apply(client, migration, options)
    }
  } finally {
    await client.end()
  }
}

async function readApplied(client: Client): Promise<Map<string, string>> {
  await client.query(`
    create table if not exists migrations (
      name text primary key,
      checksum text not null,
      applied_at timestamptz not null default now()
    )`)
  const { rows } = await client.query<{ name: string; checksum: string }>(
    'select name, checksum from migrations',
  )
  return new Map(rows.map((row) => [row.name, row.checksum]))
}

function refuseStrangers({ context, migrations }: MigrateOptions, applied: Map<string, string>): void {
  const known = new Map(migrations.map((migration) => [migration.name, checksum(migration.sql)]))
  for (const [name, sum] of applied) {
    if (!known.has(name)) {
      throw new Error(
        `the ${context} database has the migration ${name}, which this version of microbank does not know: ` +
          'it belongs to a newer version; run that one, or use another database',
      )
    }
    if (known.get(name) !== sum) {
      throw new Error(
        `the migration ${name} was changed after it had been applied to the ${context} database: ` +
          'restore the file, and make the change in a new one. If a newer version changed it, see ' +
          'docs/troubleshooting.md',
      )
    }
  }
}

async function apply(client: Client, migration: Migration, options: MigrateOptions): Promise<void> {
  const started = performance.now()
  const { functionsRole, meterRole = functionsRole } = options
  const sql = migration.sql
    .replace(/:functions_role\b/g, escapeIdentifier(functionsRole))
    .replace(/:meter_role\b/g, escapeIdentifier(meterRole))
  try {
    await client.query('begin')
    await client.query(sql)
    await client.query('insert into migrations (name, checksum) values ($1, $2)', [
      migration.name,
      checksum(migration.sql),
    ])
    await client.query('commit')
  } catch (error) {
    const { message, position } = error as { message: string; position?: string }
    const line = position ? `, line ${sql.slice(0, Number(position)).split('\n').length}` : ''
    throw new Error(`the migration ${migration.name}${line} failed: ${message}`, { cause: error })
  }
  const duration_ms = Math.round(performance.now() - started)
  options.log?.({ context: options.context, name: migration.name, duration_ms })
}

/** The checksum of a file. Line ends don't count: Git may check out the file with other line ends. */
const checksum = (sql: string): string =>
  createHash('sha256').update(sql.replaceAll('\r\n', '\n')).digest('hex')
