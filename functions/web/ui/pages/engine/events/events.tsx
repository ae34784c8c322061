import { useQuery } from '@tanstack/react-query'
import { deliveriesQuery, type Deliveries } from '../../../data/platform-events.ts'
import { useAttention } from '../../../data/use-attention.ts'
import { Facts } from '../../../parts/facts.tsx'
import { Page } from '../../../parts/page.tsx'
import { Panel } from '../../../parts/panel.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import { Catalogue } from './catalogue.tsx'
import { texts } from './events.texts.ts'
import { Minutes, Readiness, Triggers } from './triggers.tsx'

/** How events travel: the Broker, its Triggers with what waits and what was delivered, and all event types. */
export default function EventsPage() {
  const said = useTexts(texts)
  const query = useQuery(deliveriesQuery(useAttention()))
  return (
    <Page title={said.title}>
      <p>{said.intro}</p>
      <Panel title={said.brokers} query={query} rows={1} starts="platform">
        {(deliveries) => <Brokers deliveries={deliveries} />}
      </Panel>
      <Panel title={said.triggers} query={query} rows={10} starts="platform">
        {(deliveries) =>
          deliveries.triggers.length === 0 ? <p>{said.noTriggers}</p> : <Triggers deliveries={deliveries} />
        }
      </Panel>
      {query.data?.runtime === 'local' && (
        <Panel title={said.minutes} query={query}>
          {(deliveries) => <Minutes deliveries={deliveries} />}
        </Panel>
      )}
      <Catalogue triggers={query.data?.triggers ?? []} />
    </Page>
  )
}

function Brokers({ deliveries: { brokers, queue } }: { deliveries: Deliveries }) {
  const said = useTexts(texts)
  return (
    <Facts
      facts={[
        ...brokers.map((broker) => [broker.name, <Readiness key={broker.name} {...broker} />] as const),
        ...(queue === null ? [] : [[said.queue, queue] as const]),
      ]}
    />
  )
}
