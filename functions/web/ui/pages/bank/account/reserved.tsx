import { useQuery } from '@tanstack/react-query'
import { openHoldsQuery } from '../../../data/account.ts'
import { Moment } from '../../../parts/moment.tsx'
import { Money } from '../../../parts/money.tsx'
import { ProblemNote } from '../../../parts/problem-note.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import { texts } from './account.texts.ts'
import styles from './account.module.css'

/** Money that is set aside for payments to come. Nothing while there is none. */
export function Reserved({ accountId }: { accountId: string }) {
  const said = useTexts(texts)
  const { data, error } = useQuery(openHoldsQuery(accountId))
  if (error && !data) return <ProblemNote problem={error} />
  if (!data || data.length === 0) return null
  return (
    <section aria-label={said.reserved}>
      <h3>{said.reserved}</h3>
      <ul className={styles.entries}>
        {data.map(({ id, amount, currency, description, expires_at: expiresAt }) => (
          <li key={id}>
            <div className={styles.row}>
              <span className={styles.what} dir="auto">
                {description || said.reserved}
              </span>
              <span className={styles.amount}>
                <Money amount={amount} currency={currency} />
              </span>
              <span className={styles.more}>
                {said.until} <Moment at={expiresAt} />
              </span>
            </div>
          </li>
        ))}
      </ul>
    </section>
  )
}
