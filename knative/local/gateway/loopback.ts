/** Says whether an IP address is this machine's own, also as IPv4 over an IPv6 socket. */
export const isLoopback = (address: string | undefined): boolean =>
  address !== undefined && /^(?:(?:::ffff:)?127\.\d+\.\d+\.\d+|::1)$/.test(address)

/** Says whether only this machine reaches a port that is open on these hosts. */
export const areLoopback = (hosts: readonly string[]): boolean =>
  hosts.every((host) => isLoopback(host) || host === 'localhost')

/** Returns the URL by which this machine itself reaches a port that is open on these hosts. */
export function urlHere([host = '127.0.0.1']: readonly string[], port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}
