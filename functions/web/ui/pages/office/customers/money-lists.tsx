import { Link } from 'wouter'
import type { Hold } from '../../../data/account.ts'
import type { Account } from '../../../data/accounts.ts'
import type { Order } from '../../../data/orders.ts'
import { AccountNumber } from '../../../parts/account-number.tsx'
import { DataList } from '../../../parts/data-list.tsx'
import { Id } from '../../../parts/id.tsx'
import { Moment } from '../../../parts/moment.tsx'
import { Money } from '../../../parts/money.tsx'
import { Status, type StatusKind } from '../../../parts/status.tsx'
import { useAccountLabel, useAccountName } from '../../../texts/account-names.ts'
import { useTexts } from '../../../texts/define-texts.ts'
import { texts as officeTexts } from '../office.texts.ts'
import { texts } from './customer.texts.ts'

const ACCOUNT_KINDS = { open: 'good', frozen: 'warn', closed: 'neutral' } as const
const ORDER_KINDS: Record<Order['status'], StatusKind> = {
  active: 'good',
  paused: 'neutral',
  stopped: 'bad',
  completed: 'neutral',
  cancelled: 'neutral',
}

export function Accounts({ accounts }: { accounts: readonly Account[] }) {
  const [said, office] = [useTexts(texts), useTexts(officeTexts)]
  const nameOf = useAccountName()
  return (
    <DataList
      label={said.accounts}
      rows={accounts}
      keyOf={({ id }) => id}
      columns={[
        {
          title: said.account,
          cell: (account) => (
            <Link href={`/office/accounts/${account.id}`} dir="auto">
              {nameOf(account)}
            </Link>
          ),
        },
        { title: said.number, cell: ({ number }) => <AccountNumber value={number} /> },
        {
          title: said.state,
          cell: ({ status }) => <Status kind={ACCOUNT_KINDS[status]} word={office.accountStates[status]} />,
        },
        {
          title: said.available,
          align: 'end',
          cell: ({ available, currency }) => <Money amount={available} currency={currency} as="code" />,
        },
        {
          title: said.balance,
          align: 'end',
          cell: ({ balance, currency }) => <Money amount={balance} currency={currency} as="code" />,
        },
      ]}
    />
  )
}

/** Names one of the customer's accounts, and leads to it. Of another's there is the id. */
function AccountLink({ id, accounts = [] }: { id: string; accounts: readonly Account[] | undefined }) {
  const labelOf = useAccountLabel()
  const account = accounts.find((each) => each.id === id)
  if (!account) return <Id value={id} />
  return (
    <Link href={`/office/accounts/${id}`} dir="auto">
      {labelOf(account)}
    </Link>
  )
}

export function Holds({
  holds,
  accounts,
}: {
  holds: readonly Hold[]
  accounts: readonly Account[] | undefined
}) {
  const said = useTexts(texts)
  return (
    <DataList
      label={said.holds}
      rows={holds}
      keyOf={({ id }) => id}
      columns={[
        { title: said.what, cell: ({ description }) => <bdi>{description ?? said.hold}</bdi> },
        { title: said.account, cell: ({ account_id: id }) => <AccountLink id={id} accounts={accounts} /> },
        { title: said.until, cell: ({ expires_at: at }) => <Moment at={at} /> },
        {
          title: said.amount,
          align: 'end',
          cell: ({ amount, currency }) => <Money amount={amount} currency={currency} as="code" />,
        },
      ]}
    />
  )
}

export function Orders({
  orders,
  accounts,
}: {
  orders: readonly Order[]
  accounts: readonly Account[] | undefined
}) {
  const said = useTexts(texts)
  return (
    <DataList
      label={said.orders}
      rows={orders}
      keyOf={({ id }) => id}
      columns={[
        { title: said.what, cell: ({ description }) => <bdi>{description ?? said.order}</bdi> },
        { title: said.from, cell: ({ account_id: id }) => <AccountLink id={id} accounts={accounts} /> },
        {
          title: said.to,
          cell: ({ to_account_id: id, payee_name: name }) => (
            <>
              {name !== null && (
                <>
                  <bdi>{name}</bdi>{' '}
                </>
              )}
              <AccountLink id={id} accounts={accounts} />
            </>
          ),
        },
        { title: said.next, cell: ({ next_due_at: at }) => (at === null ? '–' : <Moment at={at} />) },
        {
          title: said.state,
          cell: ({ status }) => <Status kind={ORDER_KINDS[status]} word={said.orderStates[status]} />,
        },
        {
          title: said.amount,
          align: 'end',
          cell: ({ amount, currency }) => <Money amount={amount} currency={currency} as="code" />,
        },
      ]}
    />
  )
}
