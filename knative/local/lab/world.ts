import type { RequestListener } from 'node:http'
import type { EventMessage } from '../../../eventing/message.ts'
import type { OwnServers } from '../servers/backends.ts'
import type { Service } from '../serving/service.ts'
import type { ConsumerRoute } from './delivery-tap.ts'

/** The parts of the running bank that the lab breaks. */
export interface LabWorld {
  services: ReadonlyMap<string, Pick<Service, 'pids'>>
  consumers: readonly ConsumerRoute[]
  /** The ingress of each Broker. The gateway looks them up for each request. */
  ingresses: Map<string, RequestListener>
  servers: OwnServers
  /** Publishes an event at the bank's Broker. */
  publish: (event: EventMessage) => Promise<void>
}
