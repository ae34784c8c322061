import { BlockList, isIPv6 } from 'node:net'

// Loopback, private and link-local networks (RFC 1918, 3927, 4193, 4291, 6598).
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

/** Says whether many clients may share an address: it is unknown (empty), or belongs to a private network and
 * so may be a gateway or a node that everybody comes through. */
export function isShared(address: string): boolean {
  if (address === '') return true
  if (!privateNetworks) {
    privateNetworks = new BlockList()
    for (const [network, prefix, family] of PRIVATE) privateNetworks.addSubnet(network, prefix, family)
  }
  return privateNetworks.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}

/** Names a client by its address. Of IPv6 it takes the first 64 bits, because one subscriber has all
 * addresses that begin with them. */
export function clientOf(address: string): string {
  if (!isIPv6(address)) return address
  // The URL parser turns the many spellings of an address into the shortest one; then it is expanded.
  const shortest = new URL(`http://[${address.split('%')[0]}]`).hostname.slice(1, -1)
  const [head, tail] = shortest.split('::').map((half) => half.split(':').filter(Boolean))
  const behind = tail ?? []
  const groups = [...head!, ...Array<string>(8 - head!.length - behind.length).fill('0'), ...behind]
  const isIPv4Mapped = groups.slice(0, 6).join(':') === '0:0:0:0:0:ffff'
  return isIPv4Mapped ? groups.slice(6).join(':') : groups.slice(0, 4).join(':')
}
