import { useQuery } from '@tanstack/react-query'
import type { Account } from '../../data/accounts.ts'
import { lineQuery, type Entry } from '../../data/entries.ts'
import { formatMoney, toDecimal, toMinorUnits } from '../../money/money.ts'
import { Panel } from '../../parts/panel.tsx'
import { StepLine } from '../../parts/step-line.tsx'
import type { BalancePoint } from '../../parts/step-path.ts'
import { useNow } from '../../parts/use-now.ts'
import { useTexts } from '../../texts/define-texts.ts'
import { formatDate, localeOf } from '../../texts/formats.ts'
import { useLanguage } from '../../texts/language.ts'
import { texts } from './account.texts.ts'

/** How the balance went during the last hundred entries. */
export function Course({ account }: { account: Account }) {
  const said = useTexts(texts)
  const line = useQuery(lineQuery(account.id))
  return (
    <Panel title={said.course} query={line} starts="entries" empty={{ text: said.noEntries }}>
      {(entries) => <Line account={account} entries={entries} />}
    </Panel>
  )
}

function Line({ account, entries }: { account: Account; entries: readonly Entry[] }) {
  const [said, language, now] = [useTexts(texts), useLanguage(), useNow()]
  const { currency } = account
  const points = pointsOf(account, entries)
  const balances = points.map(({ balance }) => balance)
  const told = (balance: bigint): string =>
    formatMoney(toDecimal(balance, currency), currency, { locale: localeOf(language) })
  const lowest = balances.reduce((a, b) => (b < a ? b : a))
  const highest = balances.reduce((a, b) => (b > a ? b : a))
  const since = formatDate(language, new Date(points[0]!.at))
  const label = said.courseLabel(told(lowest), told(highest), since)
  return (
    <StepLine
      points={points}
      until={Math.max(now, points.at(-1)!.at)}
      label={label}
      from={since}
      range={said.courseRange(told(lowest), told(highest))}
      to={said.now}
    />
  )
}

/** The balance after each entry, the oldest first. An account whose first entry is among them begins with
 * nothing. */
function pointsOf({ currency, created_at: openedAt }: Account, entries: readonly Entry[]): BalancePoint[] {
  const points = entries.toReversed().map(({ timestamp, balance_after: balance }) => ({
    at: Date.parse(timestamp),
    balance: toMinorUnits(balance, currency),
  }))
  return entries.at(-1)!.version === 1 ? [{ at: Date.parse(openedAt), balance: 0n }, ...points] : points
}
