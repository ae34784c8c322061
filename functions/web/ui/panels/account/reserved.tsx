import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { openHoldsQuery, type Hold } from '../../data/account.ts'
import { Moment } from '../../parts/moment.tsx'
import { Money } from '../../parts/money.tsx'
import { ProblemNote } from '../../parts/problem-note.tsx'
import { useTexts } from '../../texts/define-texts.ts'
import { texts } from './account.texts.ts'
import styles from './account.module.css'

/** Money that is set aside for payments to come. Nothing while there is none. */
export function Reserved({
  accountId,
  acts,
}: {
  accountId: string
  acts?: ((hold: Hold) => ReactNode) | undefined
}) {
  const said = useTexts(texts)
  const { data, error } = useQuery(openHoldsQuery(accountId))
  if (error && !data) return <ProblemNote problem={error} />
  if (!data || data.length === 0) return null
  return (
    <section aria-label={said.reserved}>
      <h3>{said.reserved}</h3>
      <ul className={styles.entries}>
        {data.map((hold) => (
          <li key={hold.id}>
            <div className={styles.row}>
              <span className={styles.what} dir="auto">
                {hold.description || said.reserved}
              </span>
              <span className={styles.amount}>
                <Money amount={hold.amount} currency={hold.currency} />
              </span>
              <span className={styles.more}>
                {said.until} <Moment at={hold.expires_at} />
              </span>
            </div>
            {acts?.(hold)}
          </li>
        ))}
      </ul>
    </section>
  )
}
