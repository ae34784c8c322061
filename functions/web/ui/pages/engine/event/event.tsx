import { useQuery } from '@tanstack/react-query'
import { Link, useParams, useSearchParams } from 'wouter'
import { eventQuery, isGoingOn, type EventDelivery, type EventLife } from '../../../data/life.ts'
import { DataList } from '../../../parts/data-list.tsx'
import { Facts } from '../../../parts/facts.tsx'
import { Id } from '../../../parts/id.tsx'
import { Page } from '../../../parts/page.tsx'
import { Panel, PlainPanel } from '../../../parts/panel.tsx'
import { Status } from '../../../parts/status.tsx'
import { formatNumber } from '../../../texts/formats.ts'
import { useTexts } from '../../../texts/define-texts.ts'
import { useLanguage } from '../../../texts/language.ts'
import { useClock } from '../life/use-clock.ts'
import { texts } from './event.texts.ts'

/** What became of one event: stored, published, delivered to whom at which attempt, and what it did. */
export default function EventPage() {
  const said = useTexts(texts)
  const { id = '' } = useParams()
  const [asked] = useSearchParams()
  const event = useQuery(eventQuery(id, asked.get('source')))
  return (
    <Page title={said.title}>
      <Panel query={event} starts="life" rows={6}>
        {(found) => <Summary event={found} />}
      </Panel>
      {event.data && <Deliveries event={event.data} />}
      {event.data?.dead_letters && event.data.dead_letters.length > 0 && (
        <DeadLetters letters={event.data.dead_letters} />
      )}
    </Page>
  )
}

function Summary({ event }: { event: EventLife }) {
  const said = useTexts(texts)
  const language = useLanguage()
  const { clock } = useClock()
  const { published, stored, effects, transaction_id: transaction } = event
  return (
    <>
      <Facts
        facts={[
          [said.type, event.type ?? '–'],
          [said.source, event.source],
          [said.id, <Id key="i" value={event.id} />],
          [said.subject, event.subject === null ? '–' : <Id key="s" value={event.subject} />],
          [said.stored, stored ? said.storedAs[stored.as](stored.context) : said.notStored],
          ...(event.time === null ? [] : [[said.time, clock(event.time)] as const]),
          [
            said.published,
            published.state === 'waiting' ? (
              <Status
                key="p"
                kind="cold"
                word={said.waits(formatNumber(language, published.attempts ?? 0))}
              />
            ) : (
              <Status key="p" kind="good" word={published.at === null ? said.yes : clock(published.at)} />
            ),
          ],
          [said.tookEffect, effects === null ? said.unknown : said.notifications(effects.length)],
        ]}
      />
      {transaction !== null && <Link href={`/engine/transfers/${transaction}`}>{said.life}</Link>}
      {isGoingOn(event) && <p role="status">{said.goesOn}</p>}
    </>
  )
}

function Deliveries({ event: { deliveries, traces } }: { event: EventLife }) {
  const said = useTexts(texts)
  const language = useLanguage()
  const { ms, clock } = useClock()
  return (
    <PlainPanel title={said.deliveries}>
      {deliveries === null || deliveries.length === 0 ? (
        <p>{traces === 'found' ? said.noDelivery : said.traces[traces]}</p>
      ) : (
        <DataList
          label={said.deliveries}
          rows={deliveries.map((one, n) => ({ ...one, n }))}
          keyOf={({ n }) => String(n)}
          columns={[
            { title: said.trigger, cell: ({ trigger }) => trigger },
            { title: said.outcome, cell: (delivery) => <Outcome delivery={delivery} /> },
            { title: said.at, cell: ({ at }) => clock(at) },
            { title: said.attempt, align: 'end', cell: ({ attempt }) => formatNumber(language, attempt) },
            { title: said.took, align: 'end', cell: ({ ms: took }) => ms(took) },
          ]}
        />
      )}
    </PlainPanel>
  )
}

function Outcome({ delivery: { status, error, next_attempt_at: next } }: { delivery: EventDelivery }) {
  const said = useTexts(texts)
  const { clock } = useClock()
  const answer = status !== null && status > 0 ? ` ${status}` : ''
  return (
    <>
      <Status
        kind={error === null ? 'good' : 'bad'}
        word={error === null ? said.delivered + answer : said.failed + (answer || ` ${error}`)}
      />
      {next !== null && ` ${said.next(clock(next))}`}
    </>
  )
}

function DeadLetters({ letters }: { letters: NonNullable<EventLife['dead_letters']> }) {
  const said = useTexts(texts)
  const language = useLanguage()
  const { clock } = useClock()
  return (
    <PlainPanel
      title={said.deadLetters}
      actions={<Link href="/office/dead-letters">{said.allDeadLetters}</Link>}
    >
      <DataList
        label={said.deadLetters}
        rows={letters}
        keyOf={({ id }) => id}
        columns={[
          { title: said.consumer, cell: ({ destination }) => destination },
          { title: said.state, cell: ({ status }) => said.states[status] ?? status },
          { title: said.answer, cell: ({ error_code: code }) => code ?? '–' },
          { title: said.since, cell: ({ created_at: at }) => clock(at) },
          { title: said.gaveUp, align: 'end', cell: ({ deliveries: n }) => formatNumber(language, n) },
        ]}
      />
    </PlainPanel>
  )
}
