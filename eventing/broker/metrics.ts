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
  meter: Pick<Meter, 'add' | 'counter' | 'histogram'>,
  triggers: readonly string[] = [],
): BrokerMetrics {
  for (const trigger of triggers) {
    meter.add('broker_dead_letters_total', { trigger }, 0)
    meter.add('broker_stuck_dead_letters_total', { trigger }, 0)
  }
  // These two are counted for each event. So what counts is made once for each status.
  const received = madeOnce((status: number) =>
    meter.counter('broker_ingress_requests_total', { code: String(status) }),
  )
  const delivered = madeOnce((route: string) =>
    madeOnce((status: number) =>
      meter.histogram('kn_eventing_dispatch_duration_seconds', {
        trigger: labelOf(route),
        code: String(status),
      }),
    ),
  )
  return {
    received: (status) => received(status)(),
    delivered: (route, status, seconds) => delivered(route)(status)(seconds),
    deadLettered: (route) => meter.add('broker_dead_letters_total', { trigger: labelOf(route) }),
    stuck: (route) => meter.add('broker_stuck_dead_letters_total', { trigger: labelOf(route) }),
  }
}

function madeOnce<Key, Made>(make: (key: Key) => Made): (key: Key) => Made {
  const made = new Map<Key, Made>()
  return (key) => {
    let found = made.get(key)
    if (found === undefined) made.set(key, (found = make(key)))
    return found
  }
}

/** The label of a route: the name of its Trigger, or `default-dead-letters` for those of a Broker. */
const labelOf = (route: string): string => route.replaceAll(' ', '-')
