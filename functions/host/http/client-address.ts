import { createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'

/** What a function may believe about the way a request took. */
export interface Trust {
  /** Number of entries at the end of X-Forwarded-For that the platform's own proxies wrote; the first of them
   * is the client. With 0, the client is the other end of the connection. 'varying' if the number is not
   * always the same; then only the front door can tell who the client is. */
  hops: number | 'varying'
  /** The same for a request to a cluster-local name, if it came another way (a DomainMapping). */
  hopsOfMapped?: number
  /** Domain of the cluster-local names. */
  localDomain?: string
  /** The secret with which the front door signs a client's address. Without it, none is believed. */
  frontDoorKey?: string | undefined
}

/** `<address> <HMAC>`: the client's address, signed by the front door; the address is `unknown` if the front
 * door doesn't know it. */
export const CLIENT_HEADER = 'x-microbank-client'

/** The same in each bundle: what is loaded later may ask for the address. */
const TRUST: unique symbol = Symbol.for('microbank.trust')
type Received = IncomingMessage & { [TRUST]?: Trust }

/** Sets what may be believed about this request. The host calls it once per request. */
export function trust(request: Received, trusted: Trust): void {
  request[TRUST] = trusted
}

/** Returns the client's IP address, as far as it can be trusted; empty if unknown.
 *
 * It is the address that the front door signed, if there is one. Otherwise it is the entry of X-Forwarded-For
 * at a fixed distance from the end: each proxy appends the address that called it, so whatever a client
 * writes there itself comes before that entry and is never read. Skipping private addresses instead of
 * counting would not do: a client can have a private address too. */
export function clientAddress(request: IncomingMessage): string {
  const { socket, headers } = request
  const { hops, hopsOfMapped, localDomain, frontDoorKey }: Trust = (request as Received)[TRUST] ?? { hops: 0 }
  const vouched = frontDoorKey ? vouchedFor(headers[CLIENT_HEADER], frontDoorKey) : undefined
  if (vouched !== undefined) return vouched
  const isMapped = hopsOfMapped !== undefined && isUnder(headers.host, localDomain)
  const distance = isMapped ? hopsOfMapped : hops
  if (distance === 'varying') return ''
  if (distance === 0) return plain(socket.remoteAddress ?? '')
  const forwarded = String(headers['x-forwarded-for'] ?? '').split(',')
  const entry = forwarded.at(-distance)?.trim() ?? ''
  return isIP(entry) ? plain(entry) : ''
}

const UNKNOWN = 'unknown'

/** Addresses whose signature is remembered. */
const REMEMBERED_MAX = 1_000

/** Returns a function that gives the value of CLIENT_HEADER for a request. With it the front door tells the
 * functions the client's address. They can't count entries themselves, because the way to them is longer or
 * shorter than the way to the front door. */
export function createVoucher(key: string): (request: IncomingMessage) => string {
  const remembered = new Map<string, string>()
  return (request) => {
    const address = clientAddress(request) || UNKNOWN
    const known = remembered.get(address)
    if (known !== undefined) return known
    if (remembered.size >= REMEMBERED_MAX) remembered.clear()
    const vouched = `${address} ${seal(address, key)}`
    remembered.set(address, vouched)
    return vouched
  }
}

/** Returns the value of CLIENT_HEADER for a call that is made for this request; undefined without the front
 * door's key. */
export function vouchFor(request: Received): string | undefined {
  const key = request[TRUST]?.frontDoorKey
  if (!key) return undefined
  const address = clientAddress(request) || UNKNOWN
  return `${address} ${seal(address, key)}`
}

/** Headers whose signature was right, with their addresses. Checking one again would cost 5 µs of every
 * request. */
const verified = new Map<string, string>()

function vouchedFor(said: string | string[] | undefined, key: string): string | undefined {
  if (typeof said !== 'string') return undefined
  const known = verified.get(`${key} ${said}`)
  if (known !== undefined) return known
  const [address = '', sealed = ''] = said.split(' ')
  const expected = Buffer.from(seal(address, key))
  const given = Buffer.from(sealed)
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined
  const believed = address === UNKNOWN ? '' : address
  if (verified.size >= REMEMBERED_MAX) verified.clear()
  verified.set(`${key} ${said}`, believed)
  return believed
}

const seal = (address: string, key: string): string =>
  createHmac('sha256', key).update(`client address ${address}`).digest('base64url')

const isUnder = (host: string | undefined, domain: string | undefined): boolean =>
  domain !== undefined && (host ?? '').replace(/:\d+$/, '').toLowerCase().endsWith(`.${domain}`)

/** Writes an IPv4 address that came over an IPv6 socket as IPv4, and leaves out the network card that an IPv6
 * address may name (`fe80::1%eth0`): it says nothing about the client, and Postgres does not take it. */
const plain = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '')
