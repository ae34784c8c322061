import { Resolver, lookup } from 'node:dns/promises'
import ipaddr from 'ipaddr.js'

/** Decides where web hooks may go. A user chooses the address, so without these rules they could make the
 * bank send requests to itself, its neighbours or its cloud's metadata. */
export interface AddressRules {
  /** Returns what is wrong with a URL, as the end of a sentence that begins with its name; undefined if it
   * may be used. */
  faultOf: (url: URL) => string | undefined
  /** Says whether an address that a name was resolved to may be connected to. */
  isAllowed: (address: string) => boolean
  /** Resolves a name. Rejects if it has no address. */
  resolve: (name: string) => Promise<string[]>
}

/** The rules of a cluster: https on port 443, to addresses of the public internet. */
const publicRules: AddressRules = {
  faultOf: (url) => {
    if (url.protocol !== 'https:') return 'must begin with https://'
    // The parser drops the port if it is 443.
    if (url.port !== '') return 'must have no port, or 443'
    return commonFaultOf(url) ?? hostFaultOf(url.hostname)
  },
  isAllowed: isPublicAddress,
  resolve: resolvePublic,
}

/** The rules of a laptop, where receivers are on the same machine. */
const anyRules: AddressRules = {
  faultOf: (url) => {
    if (!/^https?:$/.test(url.protocol)) return 'must begin with https:// or http://'
    return commonFaultOf(url)
  },
  isAllowed: () => true,
  resolve: async (name) => (await lookup(name, { all: true })).map(({ address }) => address),
}

/** Returns the rules for the setting WEB_HOOK_PRIVATE_ADDRESSES. */
export const rulesFor = (privateAddresses: 'allowed' | 'refused'): AddressRules =>
  privateAddresses === 'allowed' ? anyRules : publicRules

function commonFaultOf({ username, password, hash }: URL): string | undefined {
  if (username !== '' || password !== '') return 'must have no user name or password'
  if (hash !== '') return 'must have no fragment (#...)'
  return undefined
}

/** Judges the host as the URL parser returns it: names in lower case and Punycode, and IPv4 addresses in four
 * decimal parts, however they were written (0x7f.1, 2130706433, 0177.0.0.1). */
function hostFaultOf(host: string): string | undefined {
  const address = host.replace(/^\[|\]$/g, '')
  if (ipaddr.isValid(address)) return isPublicAddress(address) ? undefined : 'must lead to a public address'
  // A name without a dot, and one of these, means something else in each network.
  if (host.endsWith('.')) return 'must have a host without a dot at its end'
  if (!host.includes('.') || /\.(local|localhost|internal|svc|cluster\.local|home\.arpa)$/.test(host))
    return 'must have a host that is known everywhere'
  return undefined
}

/** Says whether an address belongs to the public internet. ipaddr.js calls everything else by the name of its
 * special range (RFC 6890): private, loopback, linkLocal, carrierGradeNat, multicast, ipv4Mapped and more. Of
 * IPv6 only 2000::/3 is given out, which leaves out NAT64, mapped and compatible addresses as a whole. */
function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address) || address.includes('%')) return false
  const parsed = ipaddr.parse(address)
  if (parsed.range() !== 'unicast') return false
  if (parsed instanceof ipaddr.IPv6) return parsed.match(ipaddr.IPv6.parse('2000::'), 3)
  return true
}

const RESOLVE_MS = 1_500

/** Asks the name servers directly. getaddrinfo() would occupy one of the process's four threads for as long
 * as a slow name server takes, and reads the pod's search domains. */
async function resolvePublic(name: string): Promise<string[]> {
  const resolver = new Resolver({ timeout: RESOLVE_MS, tries: 2 })
  const found = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)])
  const addresses = found.flatMap((one) => (one.status === 'fulfilled' ? one.value : []))
  if (addresses.length === 0) throw new Error('the name has no address')
  return addresses
}
