import { Socket } from 'node:net'
import type { ClientBase, ClientConfig, Pool, PoolClient, PoolConfig } from 'pg'

export interface ConnectionPool {
  pool: Pool
  /** A connection that is not known to be broken. Give it back by its release(). */
  connect(): Promise<PoolClient>
  /** Throws away the connections that nobody uses at the moment. */
  dropIdle(): void
}

/** A pool of connections whose idle ones can be thrown away at once. After one has fallen silent the others may well be
 * as dead, and so each would cost a request its whole time-out. */
export function openConnectionPool(
  pg: Pick<typeof import('pg'), 'Client' | 'Pool'>,
  options: PoolConfig,
): ConnectionPool {
  const sockets = new WeakMap<ClientBase, Socket>()
  const idle = new Set<ClientBase>()

  class Connection extends pg.Client {
    constructor(config: ClientConfig) {
      const socket = new Socket()
      super({ ...config, stream: () => socket })
      sockets.set(this, socket)
    }
  }

  const pool = new pg.Pool({
    ...options,
    Client: Connection as unknown as NonNullable<PoolConfig['Client']>,
    // Probed by the kernel after so long without a word, then every second: ten without an answer end it.
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  })
  pool.on('acquire', (client) => idle.delete(client))
  pool.on('remove', (client) => idle.delete(client))
  pool.on('release', (_error, client) => idle.add(client))
  return {
    pool,
    async connect() {
      for (;;) {
        const client = await pool.connect()
        // The pool learns only a moment later of what has been thrown away.
        if (!sockets.get(client)!.destroyed) return client
        client.release(true)
      }
    },
    dropIdle() {
      // Not by Client.end(): that says goodbye first, and waits for an answer that never comes.
      for (const client of idle) sockets.get(client)!.destroy()
      idle.clear()
    },
  }
}
