import type { IncomingMessage } from 'node:http'

const CLUSTER_LOCAL = /\.svc(\.cluster\.local)?$/

/** Whether a host name, in lower case and without a port, is one that only a cluster's own DNS has. No
 * gateway may route a stranger's request to such a name, because its sender may deliver events and read
 * metrics. */
export const isClusterLocalName = (name: string): boolean => CLUSTER_LOCAL.test(name)

/** Whether a request names a cluster-local host. The outer gateway routes no request to those. But the
 * gateway writes such a name itself into what came through a DomainMapping, which only the front door has:
 * see isStranger(). */
export const isClusterLocal = ({ headers }: IncomingMessage): boolean =>
  isClusterLocalName((headers.host ?? '').replace(/:\d+$/, ''))

/** Whether a request may come from outside the cluster. The platform's own requests come straight to the
 * process, or name a cluster-local host. If the function `isMapped`, a stranger's request names one, too:
 * then nothing that came through a gateway is the platform's. */
export const isStranger = (request: IncomingMessage, isMapped: boolean): boolean =>
  request.headers['x-forwarded-for'] !== undefined && (isMapped || !isClusterLocal(request))
