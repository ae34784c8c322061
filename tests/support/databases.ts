import { createHash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import {
  asSuperuser,
  createDatabase,
  meterRole,
  prepareRoles,
  type DatabasePasswords,
} from '../../knative/postgres/databases.ts'
import { migrate, readMigrations } from '../../knative/postgres/migrate.ts'

export interface TestDatabase {
  name: string
  /** URL for the functions' role, which has only the grants that they need. */
  url: string
  /** URL for the owner's role, with which migrations connect. */
  ownerUrl: string
  /** URL for the meter's role, which reads facts. */
  meterUrl: string
  superuserUrl: string
  drop(): Promise<void>
}

/** Advisory locks of the database that somebody waits for. Other tests have theirs in the same Postgres. */
export const WAITING_LOCKS = `select from pg_locks l join pg_database d on d.oid = l.database
  where d.datname = current_database() and l.locktype = 'advisory' and not l.granted`

/** Finds the statements of a database that wait for a lock, whatever they wait for. */
export const WAITING_STATEMENTS = `select distinct pid from pg_locks join pg_stat_activity using (pid)
  where datname = current_database() and not granted`

const ROOT = join(__dirname, '..', '..')

/** Makes a fresh database of a context with all migrations applied. It is copied from a template that the
 * first test file makes, so it takes milliseconds. */
export async function testDatabase(context: string): Promise<TestDatabase> {
  const migrations = await readMigrations(ROOT, context)
  const state = createHash('sha256').update(JSON.stringify(migrations)).digest('hex').slice(0, 8)
  const template = `template_${context}_${state}`
  const name = databaseName(context)
  await asSuperuser(superuserUrl(), async (client) => {
    await prepareRoles(client, context, passwords())
    const made = await client.query('select from pg_database where datname = $1', [template])
    if (made.rowCount === 0) {
      // The template gets its name when it is complete: a run that fails in a migration must not leave half a
      // template.
      const unfinished = databaseName('unfinished')
      await createDatabase(client, { name: unfinished, context })
      await migrate({
        ownerUrl: urls(unfinished, context).ownerUrl,
        functionsRole: context,
        meterRole: meterRole(context),
        context,
        migrations,
      })
      await client.query(`alter database ${unfinished} rename to ${template}`)
    }
    await createDatabase(client, { name, context, template })
  })
  return describe(name, context)
}

/** Makes a fresh database without tables, with the context's roles. */
export async function emptyDatabase(context: string): Promise<TestDatabase> {
  const name = databaseName(context)
  await asSuperuser(superuserUrl(), async (client) => {
    await prepareRoles(client, context, passwords())
    await createDatabase(client, { name, context })
  })
  return describe(name, context)
}

function describe(name: string, context: string): TestDatabase {
  return {
    name,
    ...urls(name, context),
    drop: () =>
      asSuperuser(superuserUrl(), async (client) => {
        await client.query(`drop database if exists ${name} with (force)`)
      }),
  }
}

function urls(
  database: string,
  context: string,
): Pick<TestDatabase, 'url' | 'ownerUrl' | 'meterUrl' | 'superuserUrl'> {
  const as = (user: string, password: string): string => {
    const url = new URL(superuserUrl())
    url.username = user
    url.password = password
    url.pathname = `/${database}`
    return url.href
  }
  const { owner, functions, meter } = passwords()
  const { username, password } = new URL(superuserUrl())
  return {
    url: as(context, functions),
    ownerUrl: as(`${context}_owner`, owner),
    meterUrl: as(meterRole(context), meter),
    superuserUrl: as(decodeURIComponent(username), decodeURIComponent(password)),
  }
}

const databaseName = (context: string): string => `${context}_${randomBytes(5).toString('hex')}`

function passwords(): DatabasePasswords {
  const password = required('TEST_DATABASE_PASSWORD')
  return { owner: password, functions: password, meter: password }
}

const superuserUrl = (): string => required('TEST_POSTGRES_URL')

function required(name: string): string {
  const value = process.env[name]
  if (!value) throw new Error(`expected ${name} from tests/support/global-setup.ts`)
  return value
}
