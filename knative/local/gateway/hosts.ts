import { isClusterLocalName } from '../../../functions/host/http/cluster-local.ts'
import { NAMESPACE } from '../manifests/manifests.ts'

/** Names that the runtime's listeners answer to. `*.localhost` is this machine without any DNS (RFC 6761,
 * 6.3). */
export const PUBLIC_DOMAIN = 'microbank.localhost'
export const CLUSTER_DOMAIN = `${NAMESPACE}.svc.cluster.local`
/** What the runtime tells of itself: what runs, for `npm run ps`, on the internal listener alone; metrics on
 * both. */
export const STATUS_HOST = `runtime.${PUBLIC_DOMAIN}`
export const FRONT_DOOR = 'front-door'

/** The name that a cluster's DNS has for a Service, or for the ingress of a Broker. */
export const clusterHostOf = ({ kind, name }: { kind?: string | undefined; name: string }): string =>
  `${kind === 'Broker' ? `${name}-broker-ingress` : name}.${CLUSTER_DOMAIN}`

export type HostTarget =
  | { kind: 'service'; name: string }
  | { kind: 'broker'; name: string }
  | { kind: 'runtime' }
  /** A host that belongs to nothing that may be reached here. */
  | { kind: 'unknown'; host: string }

/** What a host means on the public port, as Kourier would route it: every name outside the bank's domain is
 * the front door's. Whether the Service exists and is public is for the router to say. */
export function publicTarget(hostHeader: string | undefined): HostTarget {
  const host = hostName(hostHeader)
  if (host === STATUS_HOST) return { kind: 'runtime' }
  if (isClusterLocalName(host)) return { kind: 'unknown', host }
  if (!host.endsWith(`.${PUBLIC_DOMAIN}`)) return { kind: 'service', name: FRONT_DOOR }
  const name = host.slice(0, -PUBLIC_DOMAIN.length - 1)
  const suffix = `.${NAMESPACE}`
  return named(name.endsWith(suffix) ? name.slice(0, -suffix.length) : name, host)
}

/** What a host means on the internal listener: the names that a cluster's DNS has for Services. */
export function internalTarget(hostHeader: string | undefined): HostTarget {
  const host = hostName(hostHeader)
  if (host === STATUS_HOST) return { kind: 'runtime' }
  for (const domain of [CLUSTER_DOMAIN, `${NAMESPACE}.svc`, NAMESPACE])
    if (host.endsWith(`.${domain}`)) return named(host.slice(0, -domain.length - 1), host)
  return { kind: 'unknown', host }
}

function named(name: string, host: string): HostTarget {
  if (!/^[a-z0-9-]+$/.test(name)) return { kind: 'unknown', host }
  const broker = /^(.+)-broker-ingress$/.exec(name)
  return broker ? { kind: 'broker', name: broker[1]! } : { kind: 'service', name }
}

function hostName(header: string | undefined): string {
  return (header ?? '').toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '')
}
