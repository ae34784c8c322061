import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { catalogueQuery, type CatalogueEvent, type DeliveredTrigger } from '../../../data/platform-events.ts'
import { Panel } from '../../../parts/panel.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import { formatNumber } from '../../../texts/formats.ts'
import { useLanguage } from '../../../texts/language.ts'
import { germanEventTypes } from './event-types.de.ts'
import styles from './events.module.css'
import { texts } from './events.texts.ts'

/** All event types by context, each with who takes it and an example of its data. */
export function Catalogue({ triggers }: { triggers: readonly DeliveredTrigger[] }) {
  const [said, language] = [useTexts(texts), useLanguage()]
  const [words, setWords] = useState('')
  const catalogue = useQuery(catalogueQuery())
  const wanted = words.trim().toLowerCase()
  const found = (catalogue.data ?? [])
    .map((event) =>
      language === 'de' ? { ...event, summary: germanEventTypes[event.type] ?? event.summary } : event,
    )
    .filter(({ type, summary }) => `${type} ${summary}`.toLowerCase().includes(wanted))
  const count = found.length === 1 ? said.oneType : said.count(formatNumber(language, found.length))
  const contexts = [...new Set(found.map(({ context }) => context))].sort()
  return (
    <Panel title={said.catalogue} query={catalogue} rows={8}>
      {() => (
        <>
          <div className={styles.find}>
            <label>
              {said.find}
              <input type="search" value={words} onChange={({ target: { value } }) => setWords(value)} />
            </label>
            <p role="status" className={styles.note}>
              {found.length === 0 ? said.none : count}
            </p>
          </div>
          {contexts.map((context) => (
            <section key={context} aria-label={context}>
              <h3>{context}</h3>
              <ul className={styles.types}>
                {found
                  .filter((event) => event.context === context)
                  .map((event) => (
                    <EventType key={event.type} event={event} triggers={triggers} />
                  ))}
              </ul>
            </section>
          ))}
        </>
      )}
    </Panel>
  )
}

function EventType({
  event: { type, title, summary, example },
  triggers,
}: {
  event: CatalogueEvent
  triggers: readonly DeliveredTrigger[]
}) {
  const said = useTexts(texts)
  const names = triggers.flatMap(({ name, filter }) => (filter.type === type || !filter.type ? [name] : []))
  return (
    <li>
      <details>
        <summary>
          <code>{type}</code> <span className={styles.note}>{summary}</span>
        </summary>
        <div className={styles.type}>
          <p className={styles.note}>
            {title}. {names.length > 0 ? said.taken(names.join(', ')) : said.notTaken}
          </p>
          <h4>{said.example}</h4>
          <pre role="region" aria-label={`${said.example}: ${type}`} tabIndex={0}>
            {JSON.stringify(example, null, 2)}
          </pre>
        </div>
      </details>
    </li>
  )
}
