import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { isLoopback } from './loopback.ts'

/**
 * Whether a request on the public port may publish events. From this machine, anyone may. From the network, a
 * client needs the data folder's `ingressToken`; if there is no token, no client of the network may. A
 * connection counts as from this machine only if both of its ends are loopback: another program may pass on
 * connections from the network to another address of this machine.
 */
export function mayPublish({ socket, headers }: IncomingMessage, token: string | undefined): boolean {
  if (isLoopback(socket.localAddress) && isLoopback(socket.remoteAddress)) return true
  const given = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1]
  return token !== undefined && given !== undefined && timingSafeEqual(digest(given), digest(token))
}

/** Digests have the same length, whatever the client sent; timingSafeEqual needs that. */
const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
