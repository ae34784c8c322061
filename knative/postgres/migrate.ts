import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client, escapeIdentifier } from 'pg'

export interface Migration {
  /** `<folder>/<file>`, e.g. `ledger/001-accounts.sql`. */
  name: string
  sql: string
}

export interface MigrateOptions {
  /** postgres:// URL of the role that owns the database. */
  ownerUrl: string
  /** Role that the functions connect as; takes the place of `:functions_role` in the files. */
  functionsRole: string
  context: string
  migrations: readonly Migration[]
  /** Told the name of each file that was applied, and how long it took. */
  log?: (applied: { context: string; name: string; duration_ms: number }) => void
}

/** Key of the lock under which a database is migrated; locks of this kind count per database. */
const LOCK = 6_927_001

/** The migrations of a context, in the order in which they are applied: what the function host needs, what
 * events need, what the context needs; within each by number. Throws when there are none at all.
 * @param root the folder that holds `knative/`, `eventing/` and `functions/` */
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

/** Applies each file once, in a transaction of its own. Any number of processes may call this at the same
 * moment: the first does the work, the others wait for it. Throws, with the database unchanged, when a file
 * was changed after it had been applied, and when the database has one that is not among those given. */
export async function migrate(options: MigrateOptions): Promise<void> {
  const client = new Client({ connectionString: options.ownerUrl, application_name: 'migrate' })
  await client.connect()
  try {
    // Held by the session, so it is given back even if this process is killed.
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
  const sql = migration.sql.replace(/:functions_role\b/g, escapeIdentifier(options.functionsRole))
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

/** Git may check files out with other line ends; that changes nothing about them. */
const checksum = (sql: string): string =>
  createHash('sha256').update(sql.replaceAll('\r\n', '\n')).digest('hex')
