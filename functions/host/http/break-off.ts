import type { ServerResponse } from 'node:http'

/** Breaks off an answer that has begun, so that nobody takes what they got for the whole of it. The
 * connection is reset, because for a client of HTTP/1.0 an answer in pieces ends with its connection. */
export function breakOff(response: ServerResponse): void {
  if (response.writableEnded && response.writableLength === 0) return
  response.socket?.resetAndDestroy()
  response.destroy()
}
