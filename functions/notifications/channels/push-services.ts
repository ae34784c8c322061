import { hasUnseen } from '../../host/values/unseen.ts'

/** Returns whether a subscription's endpoint belongs to one of the known push services. A browser names the
 * endpoint, and whoever uses the API can name any: without this check the bank would send requests to hosts
 * of its own network for them.
 * @param services hosts, reached over https on its usual port; `*.` stands for any part. An entry with
 *   http:// names a host and port of a test. */
export function isPushService(endpoint: string, services: readonly string[]): boolean {
  // The parser drops or escapes control characters.
  if (hasUnseen(endpoint) || !URL.canParse(endpoint)) return false
  const { protocol, hostname, port, origin, username, password } = new URL(endpoint)
  if (username || password) return false
  return services.some((service) => {
    if (service.startsWith('http://')) return origin === service
    if (protocol !== 'https:' || port !== '') return false
    return service.startsWith('*.') ? hostname.endsWith(service.slice(1)) : hostname === service
  })
}
