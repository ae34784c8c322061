/** Every context of the bank: a folder of operations, and whether it has a database (with roles, secrets, an
 * outbox and a key to sign its events). The rest is derived from this, or checked against it by
 * tests/contexts.test.ts, which lists what a new context lacks. Every function loads this file. */
export const contexts = {
  identity: { hasDatabase: true },
  ledger: { hasDatabase: true },
  notifications: { hasDatabase: true },
  payments: { hasDatabase: true },
  documents: { hasDatabase: true },
  web: { hasDatabase: false },
  platform: { hasDatabase: false },
} as const

export type Context = keyof typeof contexts

/** The contexts that call others on behalf of customers who are not there. Each has a key of its own for it
 * (docs/calls.md). */
export const callingContexts = ['payments', 'documents'] as const satisfies readonly Context[]

export type CallingContext = (typeof callingContexts)[number]

/** A context that has a database. */
export type DatabaseContext = {
  [Name in Context]: (typeof contexts)[Name]['hasDatabase'] extends true ? Name : never
}[Context]

export const hasDatabase = (context: Context): context is DatabaseContext => contexts[context].hasDatabase

export const databaseContexts = (Object.keys(contexts) as Context[]).filter(hasDatabase)
