import { useQuery } from '@tanstack/react-query'
import { accountsQuery, openAccounts } from '../../../data/accounts.ts'
import { paymentsQuery } from '../../../data/payments.ts'
import { ButtonLink } from '../../../parts/button.tsx'
import { Page } from '../../../parts/page.tsx'
import { Panel } from '../../../parts/panel.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import { NewPayment } from './new-payment.tsx'
import { PaymentList } from './payment-list.tsx'
import styles from './payments.module.css'
import { texts } from './payments.texts.ts'

/** Payments: money that is set aside for somebody until it is paid or freed. */
export default function Payments() {
  const said = useTexts(texts)
  const accounts = useQuery(accountsQuery())
  const payments = useQuery(paymentsQuery())
  const open = accounts.data && openAccounts(accounts.data)
  return (
    <Page title={said.title}>
      <p>{said.hint}</p>
      <div className={styles.columns}>
        <Panel
          title={said.new}
          query={{ ...accounts, data: open }}
          starts="accounts"
          rows={5}
          empty={{ text: said.noAccounts, action: <ButtonLink href="/">{said.openAccount}</ButtonLink> }}
        >
          {(list) => <NewPayment accounts={list} />}
        </Panel>
        <Panel title={said.list} query={payments} starts="payments" empty={{ text: said.none }}>
          {(list) => <PaymentList payments={list} />}
        </Panel>
      </div>
    </Page>
  )
}
