import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** Whether a request on the public port may publish events: from this machine anyone may, from the network
 * who has the data folder's `ingressToken`. Both ends must be loopback: a connection to another address of
 * this machine may have been passed on by something that opens it to others. Without a token nobody from the
 * network may. */
export function mayPublish({ socket, headers }: IncomingMessage, token: string | undefined): boolean {
  if (isLoopback(socket.localAddress) && isLoopback(socket.remoteAddress)) return true
  const given = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1]
  return token !== undefined && given !== undefined && timingSafeEqual(digest(given), digest(token))
}

const isLoopback = (address: string | undefined): boolean =>
  address !== undefined && /^(?:(?:::ffff:)?127\.\d+\.\d+\.\d+|::1)$/.test(address)

/** Of one length, whatever was given. */
const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
