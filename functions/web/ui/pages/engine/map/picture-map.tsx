import { useRef } from 'react'
import type { BankPicture, PicturedFunction } from '../../../data/platform.ts'
import { useTexts } from '../../../texts/define-texts.ts'
import { EventDots } from './event-dots.tsx'
import { FunctionChip } from './function-chip.tsx'
import { texts } from './map.texts.ts'
import styles from './picture-map.module.css'
import { useRates } from './rates.ts'
import { usePlaces, Wires } from './wires.tsx'

export interface PictureProps {
  bank: BankPicture
  select: (name: string) => void
  shown?: string | null
}

/** The bank from left to right, as a request and then its event pass through it. */
export function PictureMap({ bank, select, shown = null }: PictureProps) {
  const said = useTexts(texts)
  const frame = useRef<HTMLDivElement>(null)
  const places = usePlaces(frame, bank)
  const byName = new Map(bank.functions.map((each) => [each.name, each]))
  const chip = (name: string) => {
    const found = byName.get(name)
    return found && <FunctionChip shown={found} select={select} isSelected={shown === name} />
  }
  const waiting = bank.triggers.reduce((sum, { dead_letters: dead }) => Math.max(sum, dead ?? 0), 0)
  const sinks = [...new Set(bank.triggers.flatMap(({ dead_letter_sink: sink }) => sink ?? []))]
  const isAway = bank.brokers.some(({ ready }) => !ready)
  return (
    <>
      {/* A column has no room for a reason, and each Trigger would say the same. */}
      {bank.brokers.map(
        ({ name, ready, reason }) =>
          !ready && (
            <p key={name} className={styles.reason} role="status">
              ▲ {said.columns.broker} {name}: {reason}
            </p>
          ),
      )}
      <div ref={frame} className={styles.map}>
        <Wires bank={bank} places={places} shown={shown} />
        <Column title={said.columns.callers}>
          <div className={styles.box} data-place="callers">
            {said.callers}
          </div>
          <div className={styles.box} data-place="clocks">
            {said.clocks(String(bank.clocks.length))}
          </div>
        </Column>
        <Column title={said.columns.door}>
          {/* Lines end at the box, not within it. */}
          <div className={styles.box} data-place="function:front-door">
            {chip('front-door')}
          </div>
        </Column>
        <Column title={said.columns.functions}>
          {groupsOf(bank).map(([context, functions]) => (
            <section
              key={context}
              className={styles.group}
              aria-label={context}
              data-place={`context:${context}`}
            >
              <h3>{context}</h3>
              <ul>
                {functions.map(({ name }) => (
                  <li key={name}>{chip(name)}</li>
                ))}
              </ul>
              {bank.databases.includes(context) && (
                <p className={styles.database} data-place={`database:${context}`}>
                  <DatabaseMark /> {said.database(context)}
                </p>
              )}
            </section>
          ))}
        </Column>
        <Column title={said.columns.broker}>
          {bank.brokers.map(({ name, ready }) => (
            <div
              key={name}
              className={styles.box}
              data-failing={!ready || undefined}
              data-place={`broker:${name}`}
            >
              {name}
              {!ready && <p className={styles.reason}>▲ {said.states.failing}</p>}
            </div>
          ))}
        </Column>
        <div className={styles.deliveries}>
          <h2>{said.columns.triggers}</h2>
          <h2>{said.columns.consumers}</h2>
          <Triggers bank={bank} chip={chip} isBrokerAway={isAway} />
        </div>
        <Column title={said.columns.deadLetters}>
          {sinks.map((name) => (
            <div key={name} className={styles.box} data-place="dead-letters">
              {chip(name)}
            </div>
          ))}
          {waiting > 0 && <p className={styles.reason}>▲ {said.deadLetters(String(waiting))}</p>}
        </Column>
        <EventDots bank={bank} places={places} />
      </div>
    </>
  )
}

function Column({ title, children }: { title: string; children: React.ReactNode }) {
  return (
    <div className={styles.column}>
      <h2>{title}</h2>
      {children}
    </div>
  )
}

function Triggers({
  bank,
  chip,
  isBrokerAway,
}: {
  bank: BankPicture
  chip: (name: string) => React.ReactNode
  isBrokerAway: boolean
}) {
  const said = useTexts(texts)
  const rates = useRates()
  return bank.triggers.map(({ name, ready, reason, subscriber, backlog }) => (
    <div key={name} className={styles.delivery}>
      <div className={styles.trigger} data-place={`trigger:${name}`} data-failing={!ready || undefined}>
        <span>{name}</span>
        {backlog ? <span className={styles.backlog}>{said.queued(String(backlog))}</span> : null}
        {rates.get(name) ? <span className={styles.rate}>{said.rate(String(rates.get(name)))}</span> : null}
        {!ready && <span className={styles.reason}>▲ {isBrokerAway ? said.states.failing : reason}</span>}
      </div>
      <div data-place={`consumer:${name}`}>{subscriber && chip(subscriber)}</div>
    </div>
  ))
}

/** The functions by context. Those that only Triggers reach stand with the consumers, and the front door by
 * itself. */
function groupsOf({ functions, triggers, databases }: BankPicture) {
  const consumers = new Set(triggers.map(({ subscriber }) => subscriber))
  const isElsewhere = ({ name, is_public: isPublic }: PicturedFunction): boolean =>
    name === 'front-door' || (consumers.has(name) && !isPublic)
  const byContext = Map.groupBy(
    functions.filter((each) => !isElsewhere(each)),
    ({ context }) => context,
  )
  // Those that hold data first, in the order in which the bank names them.
  const place = (context: PicturedFunction['context']): number => {
    const index = databases.indexOf(context)
    return index === -1 ? databases.length : index
  }
  return [...byContext].sort(([one], [other]) => place(one) - place(other))
}

const DatabaseMark = () => (
  <svg className={styles.drum} viewBox="0 0 16 16" aria-hidden="true">
    <ellipse cx="8" cy="4" rx="5.5" ry="2.5" />
    <path d="M2.5 4 V12 A5.5 2.5 0 0 0 13.5 12 V4" />
  </svg>
)
