import { useState } from 'react'
import type { Hop } from '../../../data/life.ts'
import { DataList } from '../../../parts/data-list.tsx'
import { axisOf, lanesOf } from '../../../parts/lanes.ts'
import { PlainPanel } from '../../../parts/panel.tsx'
import { Status } from '../../../parts/status.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import { formatNumber } from '../../../texts/formats.ts'
import { useLanguage } from '../../../texts/language.ts'
import styles from './life.module.css'
import { texts } from './life.texts.ts'
import { useClock } from './use-clock.ts'

/** The hops: as lanes on one axis, and as a table. */
export function Hops({ hops }: { hops: readonly Hop[] }) {
  const said = useTexts(texts)
  const [failedOnly, setFailedOnly] = useState(false)
  const shown = failedOnly ? hops.filter(({ error }) => error !== null) : hops
  return (
    <>
      <PlainPanel
        title={said.lanes}
        actions={
          <label className={styles.choice}>
            <input
              type="checkbox"
              checked={failedOnly}
              onChange={({ target }) => setFailedOnly(target.checked)}
            />
            {said.failedOnly}
          </label>
        }
      >
        {shown.length === 0 ? <p>{said.noneFailed}</p> : <Lanes hops={shown} />}
      </PlainPanel>
      {shown.length > 0 && <Table hops={shown} />}
    </>
  )
}

function useLaneName(): (lane: string) => string {
  const said = useTexts(texts)
  return (lane) => {
    if (lane === 'broker') return said.broker
    if (lane.startsWith('trigger:')) return said.delivery(lane.slice(8))
    return lane.endsWith('-db') ? said.database(lane.slice(0, -3)) : lane
  }
}

function Lanes({ hops }: { hops: readonly Hop[] }) {
  const said = useTexts(texts)
  const nameOf = useLaneName()
  const { ms } = useClock()
  const { place, folds } = axisOf(
    hops,
    hops.filter(({ kind }) => kind !== 'wait'),
  )
  const titleOf = ({ kind, name, ms: took, at_ms: at }: Hop): string =>
    `${said.kinds[kind]}: ${name}, ${ms(at)} + ${ms(took)}`
  return (
    <>
      <figure className={styles.lanes} role="img" aria-label={`${said.lanes}. ${said.lanesAre}`}>
        {lanesOf(hops).map(({ lane, bars }) => (
          <div key={lane} className={styles.lane}>
            <span className={styles.name}>{nameOf(lane)}</span>
            <span className={styles.track}>
              {folds.map(({ at, width, ms: lasted }) => (
                <span
                  key={at}
                  className={styles.fold}
                  style={{ insetInlineStart: `${at}%`, inlineSize: `${width}%` }}
                  title={said.folded(ms(lasted))}
                />
              ))}
              {bars.map((hop, n) => (
                <span
                  key={n}
                  className={styles.bar}
                  data-kind={hop.kind}
                  data-failed={hop.error !== null || undefined}
                  style={{
                    insetInlineStart: `${place(hop.at_ms)}%`,
                    inlineSize: `${place(hop.at_ms + hop.ms) - place(hop.at_ms)}%`,
                  }}
                  title={titleOf(hop)}
                />
              ))}
            </span>
          </div>
        ))}
      </figure>
      <ul className={styles.legend}>
        {(['work', 'cold-start', 'wait', 'attempt'] as const).map((kind) => (
          <li key={kind}>
            <span className={styles.sample} data-kind={kind} aria-hidden="true" /> {said.kinds[kind]}
          </li>
        ))}
      </ul>
    </>
  )
}

function Table({ hops }: { hops: readonly Hop[] }) {
  const said = useTexts(texts)
  const nameOf = useLaneName()
  const { ms } = useClock()
  return (
    <PlainPanel title={said.hops}>
      <DataList
        label={said.hops}
        rows={hops.map((hop, n) => ({ ...hop, n }))}
        keyOf={({ n }) => String(n)}
        columns={[
          { title: said.what, cell: ({ kind, name }) => `${said.kinds[kind]}: ${name}` },
          { title: said.where, cell: ({ lane }) => nameOf(lane) },
          { title: said.outcome, cell: (hop) => <Outcome hop={hop} /> },
          { title: said.begins, align: 'end', cell: ({ at_ms: at }) => ms(at) },
          { title: said.takes, align: 'end', cell: ({ ms: took }) => ms(took) },
        ]}
      />
    </PlainPanel>
  )
}

function Outcome({
  hop: { kind, attempt, status, error, next_attempt_at: next, boot_ms: boot },
}: {
  hop: Hop
}) {
  const said = useTexts(texts)
  const language = useLanguage()
  const { ms, clock } = useClock()
  const more = [
    attempt === null ? '' : said.attempt(formatNumber(language, attempt)),
    status !== null && status > 0 ? String(status) : '',
    next === null ? '' : said.next(clock(next)),
    boot === null ? '' : said.boot(ms(boot)),
  ].filter(Boolean)
  const isWait = kind === 'wait' || kind === 'cold-start'
  return (
    <>
      {error !== null ? (
        <Status kind="bad" word={said.failed(error)} />
      ) : isWait ? (
        <Status kind={kind === 'wait' ? 'neutral' : 'cold'} word={said.kinds[kind]} />
      ) : (
        <Status kind="good" word={said.ok} />
      )}
      {more.length > 0 && ` ${more.join(', ')}`}
    </>
  )
}
