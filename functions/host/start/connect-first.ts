import type { RequestListener } from 'node:http'
import type { OpenDatabase } from '../database/database.ts'

/** What the platform asks of a process that it has just started. */
const PROBES: ReadonlySet<string> = new Set(['/healthz', '/readyz'])
/** Time in ms after which the database is connected even if no request has come: on a cluster the first
 * request comes a while after the port was found open. */
const ALONE_MS = 10

/** Connects the database at the first request, before anything else, so that the database works while the
 * host checks the token. Probes are answered at once. Call this when the port is open. */
export function connectFirst(
  database: Pick<OpenDatabase, 'connect'>,
  app: RequestListener,
  aloneMs = ALONE_MS,
): RequestListener {
  let connecting: Promise<void> | undefined
  const connect = (): Promise<void> => (connecting ??= database.connect())
  setTimeout(() => void connect(), aloneMs).unref()
  return (request, response) => {
    if (connecting || PROBES.has(request.url ?? '')) return app(request, response)
    // A database that is near has accepted the connection by the second turn of the event loop. What the
    // driver has to say then goes out before the host begins.
    void connect().then(() => setImmediate(() => setImmediate(app, request, response)))
  }
}
