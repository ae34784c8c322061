import { useQuery } from '@tanstack/react-query'
import { Link } from 'wouter'
import { accountsQuery, unansweredOpening, type Account } from '../../data/accounts.ts'
import { latestQuery } from '../../data/notifications.ts'
import { nextOrdersQuery } from '../../data/orders.ts'
import { useSession } from '../../data/session.ts'
import { sumOf } from '../../money/money.ts'
import { Button, ButtonLink } from '../../parts/button.tsx'
import { useEntered } from '../../parts/entered.ts'
import { Moment } from '../../parts/moment.tsx'
import { Money } from '../../parts/money.tsx'
import { Page } from '../../parts/page.tsx'
import { Panel } from '../../parts/panel.tsx'
import { useTexts } from '../../texts/define-texts.ts'
import { AccountCard } from './account-card.tsx'
import styles from './home.module.css'
import { texts } from './home.texts.ts'
import { OpenAccount } from './open-account.tsx'

/** What the customer has, and what comes next. */
export default function Home() {
  const said = useTexts(texts)
  const accounts = useQuery(accountsQuery())
  const { role, user_id: owner } = useSession()
  const [isOpening, setOpening] = useEntered('opening', () => unansweredOpening(owner) !== undefined)
  const open = (
    <Button aria-expanded={isOpening} onClick={() => setOpening(!isOpening)}>
      {said.open}
    </Button>
  )
  return (
    <Page title={said.title} actions={open}>
      {isOpening && <OpenAccount done={() => setOpening(false)} />}
      <Panel
        query={accounts}
        starts="accounts"
        empty={{ text: role === 'operator' ? said.noAccountsOfOperator : said.noAccounts }}
      >
        {(list) => (
          <>
            <div className={styles.top}>
              <Totals accounts={list} />
              <ButtonLink look="primary" href="/move">
                {said.move}
              </ButtonLink>
            </div>
            <ul className={styles.cards} aria-label={said.accounts}>
              {list.map((account) => (
                <li key={account.id}>
                  <AccountCard account={account} />
                </li>
              ))}
            </ul>
          </>
        )}
      </Panel>
      <NextOrders />
      <Messages />
    </Page>
  )
}

/** The sum per currency. Currencies are never added to each other. */
function Totals({ accounts }: { accounts: readonly Account[] }) {
  const said = useTexts(texts)
  const byCurrency = Map.groupBy(accounts, ({ currency }) => currency)
  return (
    <dl className={styles.totals}>
      {[...byCurrency].map(([currency, ofCurrency]) => (
        <div key={currency}>
          <dt>
            {said.totals} {byCurrency.size > 1 && currency}
          </dt>
          <dd>
            <Money
              amount={sumOf(
                ofCurrency.map(({ balance }) => balance),
                currency,
              )}
              currency={currency}
            />
          </dd>
        </div>
      ))}
    </dl>
  )
}

function NextOrders() {
  const said = useTexts(texts)
  const orders = useQuery(nextOrdersQuery())
  return (
    <Panel title={said.nextOrders} query={orders} starts="orders" rows={1} empty={{ text: said.noOrders }}>
      {(list) => (
        <ul className={styles.orders}>
          {list.map(({ id, description, next_due_at, amount, currency }) => (
            <li key={id}>
              <span dir="auto">{description ?? said.noDescription}</span>
              {next_due_at && <Moment at={next_due_at} />}
              <Money amount={amount} currency={currency} as="code" />
            </li>
          ))}
        </ul>
      )}
    </Panel>
  )
}

/** The newest messages. Those that come while the page is open are put on top. */
function Messages() {
  const said = useTexts(texts)
  const messages = useQuery(latestQuery())
  return (
    <Panel
      title={said.messages}
      actions={<Link href="/notifications">{said.allMessages}</Link>}
      query={messages}
      starts="notifications"
      rows={3}
      empty={{ text: said.noMessages }}
    >
      {(list) => (
        <ul className={styles.messages}>
          {list.map(({ id, message, timestamp, subject, event_type: type }) => (
            <li key={id}>
              <p dir="auto">{message}</p>
              <Moment at={timestamp} />
              {type.startsWith('transaction.') && (
                <Link href={`/transactions/${encodeURIComponent(subject)}`}>{said.receipt}</Link>
              )}
            </li>
          ))}
        </ul>
      )}
    </Panel>
  )
}
