/** What the outbox needs of a database: one statement after the other. A function's Database is one, and so
 * is a transaction on it. */
export interface Queryable {
  /** Rows of one statement; with a name it is prepared once per connection. timestamptz comes as Date.
   * Rejects with UnavailableError where the database is away. */
  query<Row extends object>(statement: { name?: string; text: string; values?: unknown[] }): Promise<Row[]>
}
