/** What the outbox needs of a database: to run one statement after the other. A function's Database can do
 * it, and so can a transaction. */
export interface Queryable {
  /** Resolves with the rows of one statement. A statement with a name is prepared once per connection. A
   * timestamptz comes as a Date. Rejects with UnavailableError if the database is away. */
  query<Row extends object>(statement: { name?: string; text: string; values?: unknown[] }): Promise<Row[]>
}
