import type { ReactNode } from 'react'
import type { DeliveredTrigger, Deliveries } from '../../../data/platform-events.ts'
import { DataList, type Column } from '../../../parts/data-list.tsx'
import { Status } from '../../../parts/status.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import { formatNumber } from '../../../texts/formats.ts'
import { useLanguage } from '../../../texts/language.ts'
import styles from './events.module.css'
import { texts } from './events.texts.ts'
import { byMinute, linePath, totalOf } from './rates.ts'
import { useDeliveryWords } from './use-delivery-words.ts'

/** Each Trigger: what it takes, for whom, whether it works, what waits, and what it delivered lately. */
export function Triggers({ deliveries }: { deliveries: Deliveries }) {
  const [said, language, words] = [useTexts(texts), useLanguage(), useDeliveryWords()]
  const { triggers, runtime } = deliveries
  const known = (count: number | null): string =>
    count === null ? said.unknown : formatNumber(language, count)
  const ways = new Set(triggers.map(({ delivery }) => words(delivery)))
  const isLocal = runtime === 'local'
  const columns: Column<DeliveredTrigger>[] = [
    {
      title: said.trigger,
      cell: ({ name, delivery }) => (
        <>
          <code>{name}</code>{' '}
          <span className={styles.note}>{said.atOnce(formatNumber(language, delivery.at_once))}</span>
        </>
      ),
    },
    { title: said.takes, cell: ({ filter }) => <Filter filter={filter} /> },
    { title: said.subscriber, cell: ({ subscriber }) => <code>{subscriber ?? '–'}</code> },
    { title: said.state, cell: (trigger) => <Readiness {...trigger} /> },
    ...(ways.size > 1
      ? [{ title: said.delivery, cell: ({ delivery }: DeliveredTrigger): ReactNode => words(delivery) }]
      : []),
    ...(isLocal
      ? ([
          { title: said.rate, cell: ({ rate }) => rate && <RateLine rate={rate} /> },
          { title: said.backlog, align: 'end', cell: ({ backlog }) => known(backlog) },
          { title: said.deadLetters, align: 'end', cell: ({ dead_letters: letters }) => known(letters) },
        ] satisfies Column<DeliveredTrigger>[])
      : []),
  ]
  return (
    <>
      {ways.size === 1 && (
        <p>
          {said.allDeliver} {[...ways][0]}
        </p>
      )}
      {!isLocal && <p className={styles.note}>{said.onCluster}</p>}
      <div className={styles.dense}>
        <DataList
          label={said.triggers}
          rows={triggers}
          keyOf={({ name }) => name}
          columns={columns}
          item={(trigger) => <Item {...{ trigger, known }} words={ways.size > 1 ? words : undefined} />}
        />
      </div>
    </>
  )
}

/** A Trigger in a small window. */
function Item({
  trigger,
  known,
  words,
}: {
  trigger: DeliveredTrigger
  known: (count: number | null) => string
  words: ((delivery: DeliveredTrigger['delivery']) => string) | undefined
}) {
  const said = useTexts(texts)
  const { name, filter, subscriber, backlog, dead_letters: letters, rate, delivery } = trigger
  return (
    <div className={styles.item}>
      <div className={styles.itemHead}>
        <code>{name}</code>
        <Readiness {...trigger} />
      </div>
      <p className={styles.way}>
        <Filter filter={filter} /> <span aria-hidden="true">→</span>
        <span className="visually-hidden">{said.subscriber}</span> <code>{subscriber ?? '–'}</code>
      </p>
      {words && <p className={styles.note}>{words(delivery)}</p>}
      {rate && (
        <p className={styles.note}>
          {said.backlog} {known(backlog)} · {said.deadLetters} {known(letters)}
        </p>
      )}
      {rate && totalOf(rate).delivered + totalOf(rate).failed > 0 && <RateLine rate={rate} />}
    </div>
  )
}

/** Whether a Broker or a Trigger works, and why not. */
export function Readiness({ ready, reason }: { ready: boolean; reason: string | null }) {
  const said = useTexts(texts)
  return (
    <>
      <Status kind={ready ? 'good' : 'bad'} word={ready ? said.ready : said.notReady} />
      {reason !== null && <p className={styles.note}>{reason}</p>}
    </>
  )
}

function Filter({ filter }: { filter: DeliveredTrigger['filter'] }) {
  const said = useTexts(texts)
  const attributes = Object.entries(filter)
  if (attributes.length === 0) return said.everything
  return attributes.map(([name, value]) => (
    <code key={name} className={styles.filter}>
      {name === 'type' ? value : `${name} = ${value}`}
    </code>
  ))
}

const BOX = { width: 120, height: 24 } as const

function RateLine({ rate }: { rate: NonNullable<DeliveredTrigger['rate']> }) {
  const [said, language] = [useTexts(texts), useLanguage()]
  const { delivered, failed } = totalOf(rate)
  const text = said.rateOf(formatNumber(language, delivered), formatNumber(language, failed))
  if (delivered + failed === 0) return '–'
  const highest = Math.max(...rate.delivered, ...rate.failed)
  return (
    <span className={styles.rate}>
      <svg viewBox={`0 0 ${BOX.width} ${BOX.height}`} preserveAspectRatio="none" aria-hidden="true">
        <path className={styles.delivered} d={linePath(rate.delivered, highest, BOX)} />
        {failed > 0 && <path className={styles.failed} d={linePath(rate.failed, highest, BOX)} />}
      </svg>
      <span className={styles.note}>{text}</span>
    </span>
  )
}

/** The lines as figures: what each Trigger has delivered, by minute. */
export function Minutes({ deliveries: { triggers, period_seconds: period } }: { deliveries: Deliveries }) {
  const [said, language] = [useTexts(texts), useLanguage()]
  const busy = triggers.flatMap(({ name, rate }) =>
    rate && totalOf(rate).delivered > 0 ? [{ name, minutes: byMinute(rate.delivered, period) }] : [],
  )
  if (busy.length === 0) return <p className={styles.note}>{said.nothingDelivered}</p>
  const { length } = busy[0]!.minutes
  const columns: Column<(typeof busy)[number]>[] = [
    { title: said.trigger, cell: ({ name }) => <code>{name}</code> },
    ...Array.from({ length }, (_, n): Column<(typeof busy)[number]> => {
      const ago = length - 1 - n
      return {
        title: ago === 0 ? said.thisMinute : said.minutesAgo(formatNumber(language, ago)),
        align: 'end',
        cell: ({ minutes }) => formatNumber(language, minutes[n]!),
      }
    }),
  ]
  return (
    <div className={styles.dense}>
      <DataList label={said.minutes} rows={busy} keyOf={({ name }) => name} columns={columns} />
    </div>
  )
}
