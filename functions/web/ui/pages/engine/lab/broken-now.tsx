import type { LabRun } from '../../../data/lab.ts'
import { DataList } from '../../../parts/data-list.tsx'
import { PlainPanel } from '../../../parts/panel.tsx'
import { Status } from '../../../parts/status.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import styles from './lab.module.css'
import { texts } from './lab.texts.ts'

/** A request's way through the bank, and then the event's. */
const PARTS = ['front-door', 'functions', 'postgres', 'broker', 'rabbitmq', 'events'] as const

/** The parts of the bank, the broken ones marked, and the faults that were made. */
export function BrokenNow({ run }: { run: LabRun | undefined }) {
  const said = useTexts(texts)
  const spots = run?.broken_now ?? []
  const faultsAt = (part: (typeof PARTS)[number]) =>
    spots.filter(({ place }) => place === part || (part === 'functions' && !isNamed(place)))
  const story = [...(run?.story ?? [])].reverse().slice(0, 12)
  return (
    <PlainPanel title={said.brokenNow}>
      <ol className={styles.map} aria-label={said.map}>
        {PARTS.map((part) => {
          const here = faultsAt(part)
          return (
            <li key={part} data-broken={here.length > 0}>
              <span>{said.places[part]}</span>
              <Status
                kind={here.length > 0 ? 'bad' : 'neutral'}
                word={
                  here.length === 0
                    ? said.whole
                    : here.map(({ fault, place }) => `${said.kinds[fault]} (${place})`).join(', ')
                }
              />
            </li>
          )
        })}
      </ol>
      <h3>{said.made}</h3>
      {story.length === 0 ? (
        <p>{said.noFaults}</p>
      ) : (
        <DataList
          label={said.made}
          rows={story.map((line, index) => ({ ...line, key: String(run!.story.length - index) }))}
          keyOf={({ key }) => key}
          columns={[
            { title: said.atMs, cell: ({ at_ms: ms }) => `${(ms / 1000).toFixed(1)} s` },
            { title: said.fault, cell: ({ fault }) => said.kinds[fault] },
            { title: said.place, cell: ({ place }) => place },
          ]}
        />
      )}
    </PlainPanel>
  )
}

const isNamed = (place: string): boolean => (PARTS as readonly string[]).includes(place)
