import { useQuery } from '@tanstack/react-query'
import { Link } from 'wouter'
import { accountsQuery } from '../../data/accounts.ts'
import { Money } from '../../parts/money.tsx'
import { Page } from '../../parts/page.tsx'
import { Panel } from '../../parts/panel.tsx'
import { useTexts } from '../../texts/define-texts.ts'
import { texts } from './home.texts.ts'

/** What the customer has, and what comes next. */
export default function Home() {
  const said = useTexts(texts)
  const accounts = useQuery(accountsQuery())
  return (
    <Page title={said.title}>
      <Panel query={accounts} starts="accounts" empty={{ text: said.noAccounts }}>
        {(list) => (
          <ul>
            {list.map(({ id, balance, currency }) => (
              <li key={id}>
                <Link href={`/accounts/${id}`}>{id}</Link> <Money amount={balance} currency={currency} />
              </li>
            ))}
          </ul>
        )}
      </Panel>
    </Page>
  )
}
