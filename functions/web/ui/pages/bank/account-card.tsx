import { Link } from 'wouter'
import type { Account } from '../../data/accounts.ts'
import { AccountNumber } from '../../parts/account-number.tsx'
import { Money } from '../../parts/money.tsx'
import { Status } from '../../parts/status.tsx'
import { useTexts } from '../../texts/define-texts.ts'
import styles from './home.module.css'
import { texts } from './home.texts.ts'

/** One account: its name and number, what is on it, and what of that is available. */
export function AccountCard({ account }: { account: Account }) {
  const said = useTexts(texts)
  const { id, name, number, account_type, currency, status, balance, available } = account
  return (
    <Link href={`/accounts/${id}`} className={styles.card}>
      <span className={styles.name} dir="auto">
        {name ?? said.kinds[account_type]}
      </span>
      <span className={styles.number}>
        <AccountNumber value={number} />
      </span>
      <span className={styles.balance}>
        <Money amount={balance} currency={currency} />
      </span>
      {available !== balance && (
        <span className={styles.number}>
          {said.available} <Money amount={available} currency={currency} />
        </span>
      )}
      {status !== 'open' && <Status kind={status === 'frozen' ? 'cold' : 'neutral'} word={said[status]} />}
    </Link>
  )
}
