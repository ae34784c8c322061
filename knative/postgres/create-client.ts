import { Client, type ClientConfig } from 'pg'

/** Creates a client that is not connected. If its server ends the session, the query under way rejects, or
 * else the next one. */
export function createClient(config: ClientConfig): Client {
  const client = new Client(config)
  // Without a listener, a session that ends between two queries would end the process.
  client.on('error', () => undefined)
  return client
}
