import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { databaseContexts } from '../../../functions/contexts.ts'
import { meterRole, prepareDatabases } from '../../postgres/databases.ts'
import { migrate, readMigrations } from '../../postgres/migrate.ts'
import { startPostgres, type PostgresServer } from './postgres.ts'
import type { SecretStore } from '../secrets.ts'

export interface DatabaseUrls {
  /** For functions. */
  functions: string
  /** For migrations. */
  owner: string
  /** For the meter. Undefined for a server of the user's own that gives it no URL: then no facts are read. */
  meter?: string | undefined
}

/** The contexts of a repository that have a database. */
export const contextsOf = (root: string): string[] =>
  databaseContexts.filter((context) => existsSync(join(root, 'functions', context)))

/**
 * Returns the URLs that the environment gives for a context's database: `<CONTEXT>_DATABASE_URL`,
 * `..._OWNER_URL` and `..._METER_URL`. Undefined if it gives none.
 */
export function givenUrls(context: string, env: NodeJS.ProcessEnv): DatabaseUrls | undefined {
  const name = `${context.toUpperCase()}_DATABASE`
  const functions = env[`${name}_URL`]
  if (!functions) return undefined
  return { functions, owner: env[`${name}_OWNER_URL`] ?? functions, meter: env[`${name}_METER_URL`] }
}

/** Starts the data folder's Postgres with a database for each of `names`. */
export async function startDatabases(options: {
  dataDir: string
  names: readonly string[]
  secrets: SecretStore
  onProgress: (sentence: string) => void
  port: number | undefined
}): Promise<{ server: PostgresServer; urls: Record<string, DatabaseUrls> }> {
  const { dataDir, names, onProgress, port } = options
  const { databasePasswords } = options.secrets
  const server = await startPostgres({
    dataDir: join(dataDir, 'postgres'),
    onProgress,
    ...(port && { port }),
  })
  try {
    await prepareDatabases(server.superuserUrl, names, databasePasswords)
  } catch (error) {
    await server.stop()
    throw error
  }
  const urls = names.map((name) => [name, urlsOf(server, options.secrets, name)] as const)
  return { server, urls: Object.fromEntries(urls) }
}

/** The URLs of a database on our own Postgres. */
export function urlsOf(
  server: Pick<PostgresServer, 'url'>,
  { databasePasswords }: Pick<SecretStore, 'databasePasswords'>,
  name: string,
): DatabaseUrls {
  const { owner, functions, meter } = databasePasswords[name]!
  return {
    functions: server.url(name, name, functions),
    owner: server.url(name, `${name}_owner`, owner),
    meter: server.url(name, meterRole(name), meter),
  }
}

/** Applies the migrations that a context's database doesn't have yet. */
export async function migrateContext(
  root: string,
  context: string,
  { functions, owner, meter }: DatabaseUrls,
  onProgress: (sentence: string) => void,
): Promise<void> {
  await migrate({
    ownerUrl: owner,
    functionsRole: roleOf(functions),
    meterRole: meter && roleOf(meter),
    context,
    migrations: await readMigrations(root, context),
    log: ({ name }) => onProgress(`database ${context}: applied ${name}`),
  })
}

const roleOf = (url: string): string => decodeURIComponent(new URL(url).username)
