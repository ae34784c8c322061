import type { Meter } from '../../monitoring/meter/meter.ts'

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

/** Returns the Broker's metrics, kept by the meter. The histogram has the name that it has in
 * eventing-rabbitmq. The dead letters of these Triggers are there from the start, with 0. */
export function brokerMetrics(
  meter: Pick<Meter, 'add' | 'observe'>,
  triggers: readonly string[] = [],
): BrokerMetrics {
  for (const trigger of triggers) {
    meter.add('broker_dead_letters_total', { trigger }, 0)
    meter.add('broker_stuck_dead_letters_total', { trigger }, 0)
  }
  return {
    received: (status) => meter.add('broker_ingress_requests_total', { code: String(status) }),
    delivered: (route, status, seconds) =>
      meter.observe(
        'kn_eventing_dispatch_duration_seconds',
        { trigger: labelOf(route), code: String(status) },
        seconds,
      ),
    deadLettered: (route) => meter.add('broker_dead_letters_total', { trigger: labelOf(route) }),
    stuck: (route) => meter.add('broker_stuck_dead_letters_total', { trigger: labelOf(route) }),
  }
}

/** The label of a route: the name of its Trigger, or `default-dead-letters` for those of a Broker. */
const labelOf = (route: string): string => route.replaceAll(' ', '-')
