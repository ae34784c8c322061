import { Socket } from 'node:net'
import type { ClientBase, ClientConfig, Pool, PoolClient, PoolConfig } from 'pg'
import { isLost } from './database-errors.ts'

export interface ConnectionPool {
  pool: Pool
  /** Resolves with a connection that is not known to be broken. Give it back with its release(); pass true if
   * it turned out to be broken. */
  connect(): Promise<PoolClient>
}

/** Opens a pool. If one connection breaks or falls silent, the pool also throws away its idle ones: they lead
 * to the same server, and each would cost a request a whole time-out. */
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
      // The pool listens while a connection is idle, its user while they have it. A server that stops can say
      // so in between, in the packet that ends the login; then nobody listens, and the error would end the
      // process. Whoever uses the connection learns of it by their statement.
      this.on('error', () => undefined)
    }
  }

  const pool = new pg.Pool({
    ...options,
    Client: Connection as unknown as NonNullable<PoolConfig['Client']>,
    // The kernel probes a connection that was silent for this long, then once a second. Ten probes without an
    // answer end the connection.
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  })
  pool.on('acquire', (client) => idle.delete(client))
  pool.on('remove', (client) => idle.delete(client))
  pool.on('release', (broken: Error | boolean | undefined, client) => {
    if (!broken) return void idle.add(client)
    if (broken !== true && !isLost(broken)) return
    // Not with Client.end(), which first sends a message and then waits for an answer that never comes.
    for (const each of idle) sockets.get(each)!.destroy()
    idle.clear()
  })
  return {
    pool,
    async connect() {
      for (;;) {
        const client = await pool.connect()
        // The pool learns of a destroyed socket only a moment later.
        if (!sockets.get(client)!.destroyed) return client
        client.release(true)
      }
    },
  }
}
