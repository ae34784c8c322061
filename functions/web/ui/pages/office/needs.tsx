import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { Link } from 'wouter'
import { invariantsQuery, type Invariant } from '../../data/ledger.ts'
import {
  disputesQuery,
  failedPaymentsQuery,
  haltedPostingsQuery,
  NEWEST,
  waitingLettersQuery,
} from '../../data/needs.ts'
import { useAttention } from '../../data/use-attention.ts'
import { Moment } from '../../parts/moment.tsx'
import { Page } from '../../parts/page.tsx'
import { Panel, type PanelQuery } from '../../parts/panel.tsx'
import { Status, type StatusKind } from '../../parts/status.tsx'
import { useTexts } from '../../texts/define-texts.ts'
import { formatNumber } from '../../texts/formats.ts'
import { useLanguage } from '../../texts/language.ts'
import styles from './needs.module.css'
import { texts } from './needs.texts.ts'
import { texts as officeTexts } from './office.texts.ts'

/** What needs somebody. Where nothing does, the page says so in words. */
export default function Needs() {
  const said = useTexts(texts)
  return (
    <Page title={said.title}>
      <div className={styles.grid}>
        <DeadLetters />
        <Postings />
        <FailedPayments />
        <Disputes />
      </div>
      <Invariants />
    </Page>
  )
}

/** One kind of thing that may need somebody. */
function Need<Data>({
  title,
  query,
  starts,
  link,
  children,
}: {
  title: string
  query: PanelQuery<Data>
  starts: string
  link?: { href: string; text: string }
  children: (data: NonNullable<Data>) => { kind: StatusKind; sentence: string; more?: ReactNode }
}) {
  return (
    <Panel title={title} query={query} rows={1} starts={starts}>
      {(data) => {
        const { kind, sentence, more } = children(data)
        return (
          <>
            <Sentence kind={kind} sentence={sentence} />
            {more}
            {link && <Link href={link.href}>{link.text}</Link>}
          </>
        )
      }}
    </Panel>
  )
}

const Sentence = ({ kind, sentence }: { kind: StatusKind; sentence: string }) => (
  <p className={styles.sentence}>
    <Status kind={kind} word={sentence} />
  </p>
)

function useFigure() {
  const language = useLanguage()
  return (count: number) => formatNumber(language, count)
}

function DeadLetters() {
  const said = useTexts(texts)
  const figure = useFigure()
  return (
    <Need
      title={said.letters.title}
      query={useQuery(waitingLettersQuery())}
      starts="dead-letters"
      link={{ href: '/office/dead-letters', text: said.letters.link }}
    >
      {({ waiting, groups, cameBack }) => ({
        kind: waiting > 0 ? 'bad' : 'good',
        sentence: waiting > 0 ? said.letters.some(figure(waiting), figure(groups)) : said.letters.none,
        more: cameBack > 0 && <Sentence kind="warn" sentence={said.letters.cameBack(figure(cameBack))} />,
      })}
    </Need>
  )
}

/** The invariants, live: a check that finds something is seen here without a reload. */
function Invariants() {
  const [said, office] = [useTexts(texts), useTexts(officeTexts)]
  const figure = useFigure()
  const isWatched = useAttention()
  return (
    <Need
      title={said.invariants.title}
      query={useQuery(invariantsQuery(isWatched))}
      starts="ledger-checks"
      link={{ href: '/office/ledger', text: said.invariants.link }}
    >
      {({ items, open_stops: openStops }) => {
        const broken = items.filter(({ ok }) => ok === false).map(({ id }) => id)
        return {
          kind: broken.length > 0 ? 'bad' : items.some(({ ok }) => ok === null) ? 'warn' : 'good',
          sentence:
            broken.length > 0
              ? said.invariants.some(broken.map((id) => office.invariants[id].name).join(', '))
              : items.some(({ ok }) => ok === null)
                ? said.invariants.unchecked
                : said.invariants.none,
          more: (
            <>
              {openStops > 0 && <Sentence kind="bad" sentence={said.invariants.stops(figure(openStops))} />}
              <ul className={styles.invariants} aria-label={said.invariants.list}>
                {items.map((one) => (
                  <OneInvariant key={one.id} {...one} />
                ))}
              </ul>
              <p className={styles.soft}>{isWatched ? said.invariants.live : said.invariants.paused}</p>
            </>
          ),
        }
      }}
    </Need>
  )
}

const INVARIANT_KINDS = { true: 'good', false: 'bad', null: 'neutral' } as const

function OneInvariant({ id, ok, checked_at: at, count }: Invariant) {
  const [said, office] = [useTexts(texts), useTexts(officeTexts)]
  const figure = useFigure()
  return (
    <li className={styles.sentence}>
      <Status kind={INVARIANT_KINDS[`${ok}`]} word={office.invariants[id].name} />
      <small className={styles.soft}>
        {office.invariants[id].says}{' '}
        {at === null ? (
          said.invariants.notYet
        ) : (
          <>
            {said.invariants.checked(figure(count))} <Moment at={at} />
          </>
        )}
      </small>
    </li>
  )
}

function Postings() {
  const said = useTexts(texts)
  return (
    <Need
      title={said.postings.title}
      query={useQuery(haltedPostingsQuery(useAttention()))}
      starts="ledger-checks"
      link={{ href: '/office/ledger', text: said.postings.link }}
    >
      {({ currencies }) => ({
        kind: currencies.length > 0 ? 'bad' : 'good',
        sentence: currencies.length > 0 ? said.postings.some(currencies.join(', ')) : said.postings.none,
      })}
    </Need>
  )
}

function FailedPayments() {
  const said = useTexts(texts)
  const figure = useFigure()
  return (
    <Need title={said.payments.title} query={useQuery(failedPaymentsQuery())} starts="payments">
      {({ payments, payouts }) => ({
        kind: payments + payouts > 0 ? 'warn' : 'good',
        sentence:
          payments + payouts > 0 ? said.payments.some(figure(payments), figure(payouts)) : said.payments.none,
        more: <p className={styles.soft}>{said.newest(figure(NEWEST))}</p>,
      })}
    </Need>
  )
}

function Disputes() {
  const said = useTexts(texts)
  const figure = useFigure()
  return (
    <Need
      title={said.disputes.title}
      query={useQuery(disputesQuery())}
      starts="withdrawals"
      link={{ href: '/office/disputes', text: said.disputes.link }}
    >
      {({ count, hasMore }) => ({
        kind: count > 0 ? 'bad' : 'good',
        sentence: count > 0 ? said.disputes.some(figure(count)) : said.disputes.none,
        more: hasMore && <p className={styles.soft}>{said.newest(figure(NEWEST))}</p>,
      })}
    </Need>
  )
}
