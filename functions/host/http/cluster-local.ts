import type { IncomingMessage } from 'node:http'

const CLUSTER_LOCAL = /\.svc(\.cluster\.local)?$/

/** Whether a host name, in lower case and without a port, is one that only a cluster's own DNS has. No
 * gateway may route a stranger's request to such a name, because its sender may deliver events and read
 * metrics. */
export const isClusterLocalName = (name: string): boolean => CLUSTER_LOCAL.test(name)

/** Whether a request names a cluster-local host. The outer gateway routes no request to those. */
export const isClusterLocal = ({ headers }: IncomingMessage): boolean =>
  isClusterLocalName((headers.host ?? '').replace(/:\d+$/, ''))
