import { useQuery } from '@tanstack/react-query'
import { useParams } from 'wouter'
import type { Account } from '../../../data/accounts.ts'
import { accountQuery } from '../../../data/account.ts'
import { AccountNumber } from '../../../parts/account-number.tsx'
import { ButtonLink } from '../../../parts/button.tsx'
import { Money } from '../../../parts/money.tsx'
import { Page } from '../../../parts/page.tsx'
import { Panel } from '../../../parts/panel.tsx'
import { Status } from '../../../parts/status.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import { texts } from './account.texts.ts'
import styles from './account.module.css'
import { BalanceOn } from './balance-on.tsx'
import { Course } from './course.tsx'
import { Entries } from './entries.tsx'
import { Rename } from './rename.tsx'

/** One account: what is on it, how that came, and each entry with the balance after it. */
export default function AccountPage() {
  const { id = '' } = useParams<{ id: string }>()
  const said = useTexts(texts)
  const account = useQuery(accountQuery(id))
  const { data } = account
  const title = data ? (data.name ?? said.types[data.account_type]) : said.title
  const actions = (
    <>
      <ButtonLink href={`/move?from=${id}`} look="primary">
        {said.move}
      </ButtonLink>
      <ButtonLink href={`/accounts/${id}/statement`}>{said.statement}</ButtonLink>
    </>
  )
  return (
    <Page title={title} actions={data && actions}>
      <Panel query={account} starts="accounts">
        {(shown) => <Summary account={shown} />}
      </Panel>
      {data && <Course account={data} />}
      {data && <Entries account={data} />}
    </Page>
  )
}

function Summary({ account }: { account: Account }) {
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
        {status !== 'closed' && <Rename account={account} />}
      </div>
    </div>
  )
}
