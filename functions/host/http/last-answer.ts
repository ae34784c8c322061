import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** A client that is still sending has this long to read its answer. Closing the connection at once would
 * reset it, and the answer would be lost. */
const LINGER_MS = 1_000

const closing = new WeakSet<Socket>()

/** Closes the connection after the answer that is about to begin. For a request whose body has not arrived
 * completely: hops could disagree on where that body ends and the next request begins. */
export function makeLast(response: ServerResponse): void {
  if (response.headersSent) return
  const { req: request } = response
  response.setHeader('connection', 'close')
  if (closing.has(request.socket)) return
  closing.add(request.socket)
  // node:http calls this after the last answer.
  request.socket.destroySoon = () => linger(request)
}

/** Says whether a request came after one whose answer was the last. Such a request must not be read. */
export const comesTooLate = ({ socket }: IncomingMessage): boolean => closing.has(socket)

function linger(request: IncomingMessage): void {
  const { socket } = request
  const late = setTimeout(() => socket.destroy(), LINGER_MS)
  socket.once('close', () => clearTimeout(late))
  socket.end()
  request.resume()
}
