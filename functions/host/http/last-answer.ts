import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** A client that is still sending has this long to read its answer: closed at once, the connection would be
 * reset, and the answer lost with it. */
const LINGER_MS = 1_000

const closing = new WeakSet<Socket>()

/** Makes the answer that is about to begin the last one on its connection, which is cut after it. For a
 * request whose body has not arrived: whatever follows can't be told from the rest of that body by everybody
 * alike. */
export function makeLast(response: ServerResponse): void {
  if (response.headersSent) return
  const { req: request } = response
  response.setHeader('connection', 'close')
  if (closing.has(request.socket)) return
  closing.add(request.socket)
  // What node:http calls after the last answer.
  request.socket.destroySoon = () => linger(request)
}

/** Whether the request came after one whose answer is the last. It must not be looked at. */
export const comesTooLate = ({ socket }: IncomingMessage): boolean => closing.has(socket)

function linger(request: IncomingMessage): void {
  const { socket } = request
  const late = setTimeout(() => socket.destroy(), LINGER_MS)
  socket.once('close', () => clearTimeout(late))
  socket.end()
  request.resume()
}
