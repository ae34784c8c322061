import { Counter, Histogram } from 'prom-client'
import type { Registry } from 'prom-client'

/** What the Broker reports of its work. */
export interface BrokerMetrics {
  /** The ingress has answered. */
  received(status: number): void
  /** An attempt to deliver has ended. Status -1 means no answer. */
  delivered(route: string, status: number, seconds: number): void
  deadLettered(route: string): void
  /** The sink of a dead letter has failed for so long that the dead letter is stuck. */
  stuck(route: string): void
}

export const noMetrics: BrokerMetrics = {
  received: () => undefined,
  delivered: () => undefined,
  deadLettered: () => undefined,
  stuck: () => undefined,
}

/** Returns the Broker's metrics, kept in a registry. The histogram has the name that it has in
 * eventing-rabbitmq. */
export function brokerMetrics(registry: Registry): BrokerMetrics {
  const registers = [registry]
  const received = new Counter({
    name: 'broker_ingress_requests_total',
    help: 'Requests to the Broker ingress by status',
    labelNames: ['code'],
    registers,
  })
  const delivered = new Histogram({
    name: 'kn_eventing_dispatch_duration_seconds',
    help: 'Time of one attempt to deliver an event',
    labelNames: ['trigger', 'code'],
    buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  })
  const deadLettered = new Counter({
    name: 'broker_dead_letters_total',
    help: 'Events that could not be delivered to their subscriber',
    labelNames: ['trigger'],
    registers,
  })
  const stuck = new Counter({
    name: 'broker_stuck_dead_letters_total',
    help: 'Dead letters that their sink failed to take for a minute; they are tried every ten minutes',
    labelNames: ['trigger'],
    registers,
  })
  return {
    received: (status) => received.inc({ code: status }),
    delivered: (route, status, seconds) => delivered.observe({ trigger: route, code: status }, seconds),
    deadLettered: (route) => deadLettered.inc({ trigger: route }),
    stuck: (route) => stuck.inc({ trigger: route }),
  }
}
