/** Says whether an IP address is this machine's own, also as IPv4 over an IPv6 socket. */
export const isLoopback = (address: string | undefined): boolean =>
  address !== undefined && /^(?:(?:::ffff:)?127\.\d+\.\d+\.\d+|::1)$/.test(address)
