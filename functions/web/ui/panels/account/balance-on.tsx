import { useQuery } from '@tanstack/react-query'
import { useSearchParams } from 'wouter'
import { balanceQuery } from '../../data/account.ts'
import { Field } from '../../parts/field.tsx'
import { Money } from '../../parts/money.tsx'
import { ProblemNote } from '../../parts/problem-note.tsx'
import { useTexts } from '../../texts/define-texts.ts'
import { formatDate } from '../../texts/formats.ts'
import { useLanguage } from '../../texts/language.ts'
import { texts } from './account.texts.ts'
import styles from './account.module.css'
import { boundsOf, drawnAt, isDay, toDay } from '../../parts/days.ts'

/** The balance at the end of a day of the past, which stands in the address. */
export function BalanceOn({ id, currency }: { id: string; currency: string }) {
  const said = useTexts(texts)
  const [search, setSearch] = useSearchParams()
  const on = search.get('on')
  const today = toDay(drawnAt())
  const choose = (day: string): void =>
    setSearch(
      (before) => {
        const next = new URLSearchParams(before)
        if (day) next.set('on', day)
        else next.delete('on')
        return next
      },
      { replace: true },
    )
  return (
    <div className={styles.balanceOn}>
      <Field
        name="on"
        label={said.balanceOn}
        hint={said.balanceOnHint}
        type="date"
        max={today}
        value={on ?? ''}
        onChange={({ currentTarget }) => choose(currentTarget.value)}
      />
      <div role="status">
        {isDay(on) &&
          (on > today ? said.future : <Then id={id} currency={currency} day={on} isToday={on === today} />)}
      </div>
    </div>
  )
}

function Then({
  id,
  currency,
  day,
  isToday,
}: {
  id: string
  currency: string
  day: string
  isToday: boolean
}) {
  const [said, language] = [useTexts(texts), useLanguage()]
  // The last moment of the day; of today, which is not over, it is this one.
  const { begin, end } = boundsOf(day)
  const asOf = isToday ? undefined : new Date(end.getTime() - 1).toISOString()
  const { data, error } = useQuery(balanceQuery(id, asOf))
  if (error) return <ProblemNote problem={error} />
  if (!data) return null
  if (data.available === null) return said.notYet
  return (
    <>
      {said.onDay(formatDate(language, begin))}: <Money amount={data.balance} currency={currency} />
    </>
  )
}
