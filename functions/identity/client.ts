import { BlockList, isIPv6 } from 'node:net'

// Loopback, private networks and links (RFC 1918, 3927, 4193, 4291, 6598).
const PRIVATE = [
  ['127.0.0.0', 8, 'ipv4'],
  ['10.0.0.0', 8, 'ipv4'],
  ['172.16.0.0', 12, 'ipv4'],
  ['192.168.0.0', 16, 'ipv4'],
  ['169.254.0.0', 16, 'ipv4'],
  ['100.64.0.0', 10, 'ipv4'],
  ['::1', 128, 'ipv6'],
  ['fc00::', 7, 'ipv6'],
  ['fe80::', 10, 'ipv6'],
] as const

let privateNetworks: BlockList | undefined

/** Whether many may stand behind an address: one that is unknown (empty), or of a private network, and so
 * perhaps a gateway's or a node's own, which everybody comes through. */
export function isShared(address: string): boolean {
  if (address === '') return true
  if (!privateNetworks) {
    privateNetworks = new BlockList()
    for (const [network, prefix, family] of PRIVATE) privateNetworks.addSubnet(network, prefix, family)
  }
  return privateNetworks.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}

/** A client by its address: of IPv6 the first 64 bits, since one subscriber has all addresses behind them. */
export function clientOf(address: string): string {
  if (!isIPv6(address)) return address
  // The URL parser brings the many spellings of an address to the shortest; from there it is made whole.
  const shortest = new URL(`http://[${address.split('%')[0]}]`).hostname.slice(1, -1)
  const [head, tail] = shortest.split('::').map((half) => half.split(':').filter(Boolean))
  const behind = tail ?? []
  const groups = [...head!, ...Array<string>(8 - head!.length - behind.length).fill('0'), ...behind]
  const isIPv4Mapped = groups.slice(0, 6).join(':') === '0:0:0:0:0:ffff'
  return isIPv4Mapped ? groups.slice(6).join(':') : groups.slice(0, 4).join(':')
}
