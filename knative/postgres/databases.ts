import { escapeIdentifier, escapeLiteral, type Client } from 'pg'
import { createClient } from './create-client.ts'

/**
 * The passwords of a context's three roles: `<context>_owner` runs the migrations, `<context>` is for the
 * functions, and `<context>_meter` reads facts for monitoring.
 */
export interface DatabasePasswords {
  owner: string
  functions: string
  meter: string
}

/**
 * Limits for the functions' role, so that neither one customer's expensive query nor a frozen function delays
 * everybody else. They are shorter than a function's DATABASE_TIMEOUT_MS: while the database works, it is the
 * database that ends a slow statement, and its error says why. The owner, for migrations and backups, has no
 * limits. database/prepare.sh sets the same limits on a cluster; a test compares them.
 */
export const FUNCTIONS_LIMITS: Readonly<Record<string, string>> = {
  statement_timeout: '8s',
  lock_timeout: '4s',
  idle_in_transaction_session_timeout: '10s',
}

/** The same for the meter's role: what it reads must not hold anything up. */
export const METER_LIMITS: Readonly<Record<string, string>> = {
  statement_timeout: '5s',
  lock_timeout: '2s',
  idle_in_transaction_session_timeout: '5s',
}

/** The most connections that the meter's role may have to a server: one, another while a new meter takes
 * over, and two that killed meters may leave for a moment. */
export const METER_CONNECTIONS = 4

/** The role of a context that reads facts. */
export const meterRole = (context: string): string => `${context}_meter`

const LOCK = 6_927_002

/**
 * Creates the roles and the database of each context, or updates them: sets the given passwords, and lets
 * nobody else connect. Safe to repeat, and to run several times at once.
 * @param superuserUrl URL of a role that may create roles and databases
 * @param passwords by context
 * @throws if a context has no passwords
 */
export async function prepareDatabases(
  superuserUrl: string,
  contexts: readonly string[],
  passwords: Readonly<Record<string, DatabasePasswords>>,
): Promise<void> {
  await asSuperuser(superuserUrl, async (client) => {
    for (const context of contexts) {
      const given = passwords[context]
      if (!given) throw new Error(`expected passwords for the ${context} database, got none`)
      await prepareRoles(client, context, given)
      await createDatabase(client, { name: context, context })
    }
  })
}

/** Runs `work` while no other process prepares roles or databases on this server. */
export async function asSuperuser<T>(superuserUrl: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = createClient({ connectionString: superuserUrl, application_name: 'prepare-databases' })
  await client.connect()
  try {
    // CREATE ROLE and CREATE DATABASE fail if another session does the same at the same time.
    await client.query('select pg_advisory_lock($1)', [LOCK])
    return await work(client)
  } finally {
    await client.end()
  }
}

/**
 * Creates the roles `<context>_owner`, `<context>` and `<context>_meter`, or updates their passwords, and
 * sets the limits of the latter two. The meter may see all sessions.
 */
export async function prepareRoles(
  client: Client,
  context: string,
  passwords: DatabasePasswords,
): Promise<void> {
  for (const [role, password] of [
    [`${context}_owner`, passwords.owner],
    [context, passwords.functions],
    [meterRole(context), passwords.meter],
  ] as const) {
    const exists = await client.query('select from pg_roles where rolname = $1', [role])
    const verb = exists.rowCount === 0 ? 'create' : 'alter'
    await client.query(`${verb} role ${escapeIdentifier(role)} login password ${escapeLiteral(password)}`)
  }
  const meter = escapeIdentifier(meterRole(context))
  const statements = [
    ...limitsOf(context, FUNCTIONS_LIMITS),
    ...limitsOf(meterRole(context), METER_LIMITS),
    `alter role ${meter} connection limit ${METER_CONNECTIONS}`,
    `grant pg_read_all_stats to ${meter}`,
  ]
  await client.query(statements.join(';'))
}

const limitsOf = (role: string, limits: Readonly<Record<string, string>>): string[] =>
  Object.entries(limits).map(
    ([name, value]) => `alter role ${escapeIdentifier(role)} set ${name} = ${escapeLiteral(value)}`,
  )

/**
 * Creates a database that belongs to `<context>_owner`. Only the context's three roles may connect to it.
 * Keeps an existing database, and only sets who may connect.
 */
export async function createDatabase(
  client: Client,
  { name, context, template }: { name: string; context: string; template?: string },
): Promise<void> {
  const database = escapeIdentifier(name)
  const owner = escapeIdentifier(`${context}_owner`)
  const exists = await client.query('select from pg_database where datname = $1', [name])
  if (exists.rowCount === 0) {
    const from = template ? ` template ${escapeIdentifier(template)}` : ''
    await client.query(`create database ${database} owner ${owner}${from}`)
  }
  await client.query(`revoke all on database ${database} from public`)
  const roles = [context, meterRole(context)].map((role) => escapeIdentifier(role))
  await client.query(`grant connect on database ${database} to ${roles.join(', ')}`)
}
