import type { IncomingMessage } from 'node:http'

const CLUSTER_LOCAL = /\.svc(\.cluster\.local)?$/

/** Whether a host name, in lower case and without a port, is one that only a cluster's own DNS has. No
 * gateway may route a stranger's request to such a name, because its sender may deliver events and read
 * metrics. */
export const isClusterLocalName = (name: string): boolean => CLUSTER_LOCAL.test(name)

/** Whether a request names a cluster-local host. The outer gateway routes no request to those. But the
 * gateway writes such a name itself into what came through a DomainMapping: see isStranger(). */
export const isClusterLocal = ({ headers }: IncomingMessage): boolean =>
  isClusterLocalName((headers.host ?? '').replace(/:\d+$/, ''))

/** Whether a request came from outside the cluster. The platform's own requests come straight to the process,
 * or name a cluster-local host. Behind a DomainMapping a stranger's request names one, too. Then
 * X-Forwarded-For has more entries than `hops`, those of a way within the cluster: the gateway has added one
 * more, and a sender can add entries, but remove none. */
export function isStranger(request: IncomingMessage, hops: number | undefined): boolean {
  const forwarded = request.headers['x-forwarded-for']
  if (forwarded === undefined) return false
  const isTooFar = hops !== undefined && String(forwarded).split(',').length > hops
  return isTooFar || !isClusterLocal(request)
}
