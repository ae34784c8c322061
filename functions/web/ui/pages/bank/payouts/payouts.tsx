import { useQuery } from '@tanstack/react-query'
import { Link, useSearchParams } from 'wouter'
import { accountsQuery, openAccounts } from '../../../data/accounts.ts'
import { payoutsQuery } from '../../../data/payouts.ts'
import { ButtonLink } from '../../../parts/button.tsx'
import { DataList } from '../../../parts/data-list.tsx'
import { Moment } from '../../../parts/moment.tsx'
import { Page } from '../../../parts/page.tsx'
import { Panel } from '../../../parts/panel.tsx'
import { Status } from '../../../parts/status.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import { NewPayout } from './new-payout.tsx'
import { PayoutItems } from './payout-items.tsx'
import { texts } from './payouts.texts.ts'

/** Payouts: many payees are paid at once. The address names the payout whose items are shown. */
export default function Payouts() {
  const said = useTexts(texts)
  const [search, setSearch] = useSearchParams()
  const shown = search.get('payout')
  const accounts = useQuery(accountsQuery())
  const payouts = useQuery(payoutsQuery())
  return (
    <Page title={said.title}>
      <p>{said.hint}</p>
      {shown && <PayoutItems key={shown} id={shown} />}
      <Panel
        title={said.new}
        query={{ ...accounts, data: accounts.data && openAccounts(accounts.data) }}
        starts="accounts"
        rows={5}
        empty={{ text: said.noAccounts, action: <ButtonLink href="/">{said.openAccount}</ButtonLink> }}
      >
        {(list) => <NewPayout accounts={list} onMade={(id) => setSearch({ payout: id })} />}
      </Panel>
      <Panel title={said.list} query={payouts} starts="payouts" empty={{ text: said.none }}>
        {(list) => (
          <DataList
            label={said.list}
            rows={list}
            keyOf={({ id }) => id}
            columns={[
              { title: said.made, cell: ({ created_at: at }) => <Moment at={at} /> },
              {
                title: said.state,
                cell: ({ status }) => (
                  <Status kind={status === 'running' ? 'cold' : 'good'} word={said.statuses[status]} />
                ),
              },
              {
                title: said.items,
                cell: ({ id, counts: { paid, refused, pending } }) => (
                  <Link href={`/payouts?payout=${id}`}>
                    {said.counts(String(paid), String(refused), String(pending))}
                  </Link>
                ),
              },
            ]}
          />
        )}
      </Panel>
    </Page>
  )
}
