import { createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'

/** What a function may believe of how a request came to it. */
export interface Trust {
  /** Entries at the end of X-Forwarded-For that the platform's own proxies wrote; the first of them is the
   * client. With 0 the client is whoever holds the other end of the connection. */
  hops: number
  /** The same for a request under a cluster-local name, where it came by another way (a DomainMapping). */
  hopsOfMapped?: number
  /** Domain of the cluster-local names. */
  localDomain?: string
  /** The secret by which the front door vouches for an address; none is believed without it. */
  frontDoorKey?: string | undefined
}

/** `<address> <HMAC>`: what the front door says of a client, `unknown` where it can't tell. */
export const CLIENT_HEADER = 'x-microbank-client'

const TRUST = Symbol('trust')
type Received = IncomingMessage & { [TRUST]?: Trust }

/** The host says once per request what may be believed of it. */
export function trust(request: Received, trusted: Trust): void {
  request[TRUST] = trusted
}

/** The IP address of whoever asks, as far as it can be trusted; empty where it is not known.
 *
 * It is what the front door vouches for, else the entry of X-Forwarded-For at a fixed distance from the end.
 * Each proxy appends the address that it was called from, so what a client writes there itself stands before
 * that entry and is never looked at. Counting, rather than skipping private addresses: a client can have one
 * too. */
export function clientAddress(request: IncomingMessage): string {
  const { socket, headers } = request
  const { hops, hopsOfMapped, localDomain, frontDoorKey }: Trust = (request as Received)[TRUST] ?? { hops: 0 }
  const vouched = frontDoorKey ? vouchedFor(headers[CLIENT_HEADER], frontDoorKey) : undefined
  if (vouched !== undefined) return vouched
  const isMapped = hopsOfMapped !== undefined && isUnder(headers.host, localDomain)
  const distance = isMapped ? hopsOfMapped : hops
  if (distance === 0) return plain(socket.remoteAddress ?? '')
  const forwarded = String(headers['x-forwarded-for'] ?? '').split(',')
  const entry = forwarded.at(-distance)?.trim() ?? ''
  return isIP(entry) ? plain(entry) : ''
}

const UNKNOWN = 'unknown'

/** Lets the functions behind the front door know the client of a request that is passed on: they can't count,
 * as the way to them is longer or shorter than that to the front door. Replaces whatever the client says
 * there. */
export function vouch(request: IncomingMessage, key: string): void {
  const address = clientAddress(request) || UNKNOWN
  request.headers[CLIENT_HEADER] = `${address} ${seal(address, key)}`
  // What a client names there is taken away at the next hop (RFC 9110, section 7.6.1), but this is not the
  // client's.
  const named = request.headers.connection
    ?.split(',')
    .filter((name) => name.trim().toLowerCase() !== CLIENT_HEADER)
  if (named) request.headers.connection = named.join(',')
}

function vouchedFor(said: string | string[] | undefined, key: string): string | undefined {
  if (typeof said !== 'string') return undefined
  const [address = '', sealed = ''] = said.split(' ')
  const expected = Buffer.from(seal(address, key))
  const given = Buffer.from(sealed)
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined
  return address === UNKNOWN ? '' : address
}

const seal = (address: string, key: string): string =>
  createHmac('sha256', key).update(`client address ${address}`).digest('base64url')

const isUnder = (host: string | undefined, domain: string | undefined): boolean =>
  domain !== undefined && (host ?? '').replace(/:\d+$/, '').toLowerCase().endsWith(`.${domain}`)

/** An IPv4 address that came over an IPv6 socket, as IPv4. */
const plain = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, '')
