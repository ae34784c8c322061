import { isClusterLocalName } from '../../../functions/host/http/cluster-local.ts'
import { NAMESPACE } from '../manifests/manifests.ts'

/**
 * The host names that the runtime's listeners answer to. `*.localhost` is this machine, without any DNS (RFC
 * 6761, 6.3).
 */
export const PUBLIC_DOMAIN = 'microbank.localhost'
export const CLUSTER_DOMAIN = `${NAMESPACE}.svc.cluster.local`
/**
 * The host of the runtime itself. It tells what runs, for `npm run ps`, only on the internal listener;
 * metrics are on both listeners.
 */
export const STATUS_HOST = `runtime.${PUBLIC_DOMAIN}`
/** The host of the meter in a cluster's DNS, to which functions report. */
const METER_HOST = 'meter.monitoring.svc.cluster.local'
const METER = `http://${METER_HOST}:4318`
export const METER_URL = `${METER}/v1/metrics`
/** Where functions send spans, and where the spans of a trace are, if its id is appended. */
export const SPANS_TO = METER
export const SPANS_OF = `${METER}/traces/`
/** The host of Prometheus in a cluster's DNS. Here it leads to the one that `npm run monitor` has started. */
const PROMETHEUS_HOST = 'prometheus.monitoring.svc.cluster.local'
export const FRONT_DOOR = 'front-door'

/** The host name of a Service, or of a Broker's ingress, in a cluster's DNS. */
export const clusterHostOf = ({ kind, name }: { kind?: string | undefined; name: string }): string =>
  `${kind === 'Broker' ? `${name}-broker-ingress` : name}.${CLUSTER_DOMAIN}`

export type HostTarget =
  | { kind: 'service'; name: string }
  | { kind: 'broker'; name: string }
  | { kind: 'runtime' }
  | { kind: 'meter' }
  | { kind: 'prometheus' }
  /** A host that can't be reached here. */
  | { kind: 'unknown'; host: string }

/**
 * Returns what a host means on the public port, where Kourier would lead it: each host outside the bank's
 * domain is the front door. The router decides whether the Service exists and is public.
 */
export function publicTarget(hostHeader: string | undefined): HostTarget {
  const host = hostName(hostHeader)
  if (host === STATUS_HOST) return { kind: 'runtime' }
  if (isClusterLocalName(host)) return { kind: 'unknown', host }
  if (!host.endsWith(`.${PUBLIC_DOMAIN}`)) return { kind: 'service', name: FRONT_DOOR }
  const name = host.slice(0, -PUBLIC_DOMAIN.length - 1)
  const suffix = `.${NAMESPACE}`
  return named(name.endsWith(suffix) ? name.slice(0, -suffix.length) : name, host)
}

/**
 * Returns what a host means on the internal listener, which knows the names of Services in a cluster's DNS.
 */
export function internalTarget(hostHeader: string | undefined): HostTarget {
  const host = hostName(hostHeader)
  if (host === STATUS_HOST) return { kind: 'runtime' }
  if (host === METER_HOST) return { kind: 'meter' }
  if (host === PROMETHEUS_HOST) return { kind: 'prometheus' }
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
