import type { IncomingMessage } from 'node:http'
import { BlockList, isIP, isIPv6 } from 'node:net'

// Where the platform's own proxies are: this machine, its links, private networks (RFC 1918, 3927, 4193, 4291).
const OWN_NETWORKS = [
  ['127.0.0.0', 8, 'ipv4'],
  ['10.0.0.0', 8, 'ipv4'],
  ['172.16.0.0', 12, 'ipv4'],
  ['192.168.0.0', 16, 'ipv4'],
  ['169.254.0.0', 16, 'ipv4'],
  ['::1', 128, 'ipv6'],
  ['fc00::', 7, 'ipv6'],
  ['fe80::', 10, 'ipv6'],
] as const

let proxies: BlockList | undefined

/** The address of whoever asks, as far as it can be trusted: going back from our own end of the connection, the
 * first one that is not a proxy of the platform. What a client itself writes into X-Forwarded-For stands before
 * that and is not looked at. Empty where the connection is gone. */
export function clientAddress({ socket, headers }: IncomingMessage): string {
  proxies ??= ownNetworks()
  const forwarded = String(headers['x-forwarded-for'] ?? '').split(/\s*,\s*/)
  let address = socket.remoteAddress ?? ''
  while (isIP(address) && proxies.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')) {
    const before = forwarded.pop()
    if (before === undefined || !isIP(before)) break
    address = before
  }
  return address
}

function ownNetworks(): BlockList {
  const list = new BlockList()
  for (const [address, prefix, family] of OWN_NETWORKS) list.addSubnet(address, prefix, family)
  return list
}
