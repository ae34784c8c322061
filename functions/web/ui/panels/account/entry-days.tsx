import type { ReactNode } from 'react'
import { Link } from 'wouter'
import type { Entry } from '../../data/entries.ts'
import { Money } from '../../parts/money.tsx'
import { useNow } from '../../parts/use-now.ts'
import { groupsOf } from '../../texts/account-names.ts'
import { useTexts } from '../../texts/define-texts.ts'
import { formatDate, formatTime } from '../../texts/formats.ts'
import { useLanguage } from '../../texts/language.ts'
import { texts } from './account.texts.ts'
import styles from './account.module.css'
import { boundsOf, byDay, toDay } from '../../parts/days.ts'
import { kindOf } from './entry-words.ts'

/** What can be done with an entry, which `words` name. */
type EntryActs = ((entry: Entry, words: string) => ReactNode) | undefined

/** Entries, the newest first, by the day on which they were booked. */
export function EntryDays({ entries, acts }: { entries: readonly Entry[]; acts?: EntryActs }) {
  const before = new Map(entries.map((entry) => [entry.version + 1, entry]))
  return byDay(entries, ({ timestamp }) => timestamp).map(({ day, items }) => (
    <section key={day}>
      <h3 className={styles.day}>
        <DayName day={day} />
      </h3>
      <ul className={styles.entries}>
        {items.map((entry) => (
          <li key={entry.version}>
            <EntryRow entry={entry} before={before.get(entry.version)} acts={acts} />
          </li>
        ))}
      </ul>
    </section>
  ))
}

function DayName({ day }: { day: string }) {
  const [said, language, now] = [useTexts(texts), useLanguage(), new Date(useNow())]
  const name = formatDate(language, boundsOf(day).begin)
  if (day === toDay(now)) return `${said.today}, ${name}`
  const yesterday = new Date(boundsOf(toDay(now)).begin.getTime() - 1)
  return day === toDay(yesterday) ? `${said.yesterday}, ${name}` : name
}

function EntryRow({ entry, before, acts }: { entry: Entry; before: Entry | undefined; acts: EntryActs }) {
  const [said, language] = [useTexts(texts), useLanguage()]
  const { amount, balance_after: balance, currency, description, timestamp } = entry
  const words = useWords(entry, before)
  const kind = kindOf(entry, before)
  return (
    <>
      <Link className={styles.row} href={`/transactions/${entry.transaction_id}`}>
        <span className={styles.what} dir="auto">
          {words}
        </span>
        <span className={styles.amount}>
          <Money amount={amount} currency={currency} signed />
        </span>
        <span className={styles.more}>
          <time dateTime={timestamp}>{formatTime(language, new Date(timestamp))}</time>
          {description && (
            <>
              {' '}
              · <bdi>{description}</bdi>
            </>
          )}
        </span>
        <span className={styles.after}>
          <span className="visually-hidden">{said.balanceAfter} </span>
          <Money amount={balance} currency={currency} />
        </span>
      </Link>
      {/* A fee goes back with its transaction. */}
      {kind !== 'fee' && kind !== 'feeBack' && acts?.(entry, words)}
    </>
  )
}

/** What happened, with the other side if there is one: 'To Holidays', 'From 4821 0937 4490', 'Deposit'. */
function useWords(entry: Entry, before: Entry | undefined): string {
  const said = useTexts(texts)
  const kind = kindOf(entry, before)
  if (kind === 'fee' || kind === 'feeBack') return said[kind]
  const { counterparty } = entry
  if (kind !== 'transfer' || !counterparty) return said.kinds[kind]
  const other = counterparty.name ?? groupsOf(counterparty.number)
  return entry.amount.startsWith('-') ? said.toOther(other) : said.fromOther(other)
}
