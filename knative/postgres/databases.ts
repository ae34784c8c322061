import { Client, escapeIdentifier, escapeLiteral } from 'pg'

/**
 * The passwords of a context's two roles: `<context>_owner` runs the migrations, `<context>` is for the
 * functions.
 */
export interface DatabasePasswords {
  owner: string
  functions: string
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
  const client = new Client({ connectionString: superuserUrl, application_name: 'prepare-databases' })
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
 * Creates the roles `<context>_owner` and `<context>`, or updates their passwords, and sets the functions'
 * limits.
 */
export async function prepareRoles(
  client: Client,
  context: string,
  passwords: DatabasePasswords,
): Promise<void> {
  for (const [role, password] of [
    [`${context}_owner`, passwords.owner],
    [context, passwords.functions],
  ] as const) {
    const exists = await client.query('select from pg_roles where rolname = $1', [role])
    const verb = exists.rowCount === 0 ? 'create' : 'alter'
    await client.query(`${verb} role ${escapeIdentifier(role)} login password ${escapeLiteral(password)}`)
  }
  const limits = Object.entries(FUNCTIONS_LIMITS)
  const statements = limits.map(
    ([name, value]) => `alter role ${escapeIdentifier(context)} set ${name} = ${escapeLiteral(value)}`,
  )
  await client.query(statements.join(';'))
}

/**
 * Creates a database that belongs to `<context>_owner` and that only the context's two roles may connect to.
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
  await client.query(`grant connect on database ${database} to ${escapeIdentifier(context)}`)
}
