import { emptyDatabase } from '../../tests/support/databases.ts'
import type { TestDatabase } from '../../tests/support/databases.ts'
import { until } from '../../tests/support/until.ts'
import {
  manifestsOf,
  quickly,
  removeFromRabbitmq,
  startSubscriber,
  startTestBroker,
} from './broker-fixture.ts'
import type { Answering, Subscriber, TestBroker, Transport, TriggerSketch } from './broker-fixture.ts'
import type { BrokerManifests, Delivery } from './manifests.ts'

/** What a test case works with. Everything that it starts is stopped after the case. */
export interface Contract {
  transport: () => Transport
  subscriberThat: (answering?: Answering) => Promise<Subscriber>
  brokerOf: (manifests: BrokerManifests, subscriber: Subscriber, isTraced?: boolean) => Promise<TestBroker>
  /** Starts a subscriber and a Broker with these Triggers. */
  start: (
    triggers: readonly TriggerSketch[],
    answering?: Answering,
    delivery?: Delivery,
  ) => Promise<{ subscriber: Subscriber; broker: TestBroker }>
}

/** Runs the same cases over RabbitMQ and over Postgres, because a Broker promises the same over both. */
export function overEveryQueue(title: string, cases: (contract: Contract) => void): void {
  describe.each(['RabbitMQ', 'Postgres'] as const)(`${title} over %s`, (name) => {
    let database: TestDatabase | undefined
    const open: (() => Promise<unknown>)[] = []
    const used: BrokerManifests[] = []

    beforeAll(async () => {
      if (name === 'Postgres') database = await emptyDatabase('broker')
    })
    afterEach(async () => {
      for (const stop of open.splice(0).reverse()) await stop()
      if (!database) await removeFromRabbitmq(process.env.TEST_AMQP_URL!, used.splice(0))
    })
    afterAll(() => database?.drop())

    const contract: Contract = {
      transport: () =>
        database ? { postgresUrl: database.ownerUrl } : { amqpUrl: process.env.TEST_AMQP_URL! },
      async subscriberThat(answering) {
        const subscriber = await startSubscriber(answering)
        open.push(() => subscriber.stop())
        return subscriber
      },
      async brokerOf(manifests, subscriber, isTraced) {
        used.push(manifests)
        const broker = await startTestBroker(contract.transport(), manifests, subscriber.url, isTraced)
        open.push(() => broker.stop(1_000))
        return broker
      },
      async start(triggers, answering, delivery) {
        const subscriber = await contract.subscriberThat(answering)
        const manifests = manifestsOf(triggers, delivery ? { delivery } : {})
        return { subscriber, broker: await contract.brokerOf(manifests, subscriber) }
      },
    }
    cases(contract)
  })
}

export const everything: readonly TriggerSketch[] = [{ name: 'all', delivery: quickly(3) }]

/** Waits until `count` events have arrived at a path. */
export const came = (subscriber: Subscriber, path: string, count = 1) =>
  until(() => subscriber.ids(path).length >= count, { what: `${count} event(s) at ${path}` })

/** Waits until no event is left to deliver. */
export const emptied = (broker: TestBroker) =>
  until(async () => (await broker.status()).triggers.every(({ backlog }) => backlog === 0), {
    what: 'empty queues',
  })
