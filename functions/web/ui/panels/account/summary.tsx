import type { ReactNode } from 'react'
import type { Account } from '../../data/accounts.ts'
import { AccountNumber } from '../../parts/account-number.tsx'
import { Money } from '../../parts/money.tsx'
import { Status } from '../../parts/status.tsx'
import { useTexts } from '../../texts/define-texts.ts'
import { texts } from './account.texts.ts'
import styles from './account.module.css'
import { BalanceOn } from './balance-on.tsx'

/** What is on an account, its number and its state. `children` is what can be done with it. */
export function AccountSummary({ account, children }: { account: Account; children?: ReactNode }) {
  const said = useTexts(texts)
  const { id, balance, held, available, overdraft_limit: overdraft, currency, status } = account
  const isZero = (amount: string): boolean => !/[1-9]/.test(amount)
  const figures = [
    { word: said.available, amount: available, isShown: available !== balance },
    { word: said.held, amount: held, isShown: !isZero(held) },
    { word: said.overdraft, amount: overdraft, isShown: !isZero(overdraft) },
  ].filter(({ isShown }) => isShown)
  return (
    <div className={styles.summary}>
      <dl className={styles.figures}>
        <div className={styles.headline}>
          <dt>{said.balance}</dt>
          <dd>
            <Money amount={balance} currency={currency} />
          </dd>
        </div>
        {figures.map(({ word, amount }) => (
          <div key={word}>
            <dt>{word}</dt>
            <dd>
              <Money amount={amount} currency={currency} />
            </dd>
          </div>
        ))}
        <div>
          <dt>{said.number}</dt>
          <dd>
            <AccountNumber value={account.number} />
          </dd>
        </div>
      </dl>
      {status === 'frozen' && (
        <p>
          <Status kind="warn" word={said.frozen} /> {said.frozenHint}
        </p>
      )}
      {status === 'closed' && <Status kind="neutral" word={said.closed} />}
      <div className={styles.tools}>
        <BalanceOn id={id} currency={currency} />
        {children}
      </div>
    </div>
  )
}
