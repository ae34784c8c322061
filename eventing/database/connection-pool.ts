import { Socket } from 'node:net'
import type { ClientBase, ClientConfig, Pool, PoolClient, PoolConfig } from 'pg'
import { isLost } from './database-errors.ts'

export interface ConnectionPool {
  pool: Pool
  /** A connection that is not known to be broken. Give it back by its release(), with true where it turned
   * out to be. */
  connect(): Promise<PoolClient>
}

/** A pool that throws away its idle connections with one that broke or fell silent: they led to the same
 * place, and each would cost a request its whole time-out. */
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
  pool.on('release', (broken: Error | boolean | undefined, client) => {
    if (!broken) return void idle.add(client)
    if (broken !== true && !isLost(broken)) return
    // Not by Client.end(): that says goodbye first, and waits for an answer that never comes.
    for (const each of idle) sockets.get(each)!.destroy()
    idle.clear()
  })
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
  }
}
