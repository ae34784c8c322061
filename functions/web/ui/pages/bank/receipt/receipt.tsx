import { useQueries, useQuery } from '@tanstack/react-query'
import { Link, useParams } from 'wouter'
import {
  ownEntriesQuery,
  toldQuery,
  transactionQuery,
  type TransactionDetail,
} from '../../../data/transactions.ts'
import { useSession } from '../../../data/session.ts'
import { Facts } from '../../../parts/facts.tsx'
import { Id } from '../../../parts/id.tsx'
import { Money } from '../../../parts/money.tsx'
import { Page } from '../../../parts/page.tsx'
import { Panel, PlainPanel, type PanelQuery } from '../../../parts/panel.tsx'
import { Status, type StatusKind } from '../../../parts/status.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import { formatDay, formatMoment } from '../../../texts/formats.ts'
import { problemTexts } from '../../../texts/problems.texts.ts'
import { useLanguage } from '../../../texts/language.ts'
import { Check } from './check.tsx'
import { Entries, type OwnEntry } from './entries.tsx'
import { Steps } from './steps.tsx'
import { texts } from './receipt.texts.ts'
import { useAccountNames, useSeenAccounts } from './use-account-names.ts'

const KINDS: Record<TransactionDetail['status'], StatusKind> = {
  completed: 'good',
  pending: 'cold',
  rejected: 'bad',
  reversed: 'warn',
}

/** What became of a transaction, with its entries and their proof. */
export default function Receipt() {
  const said = useTexts(texts)
  const { id = '' } = useParams()
  const transaction = useQuery({
    ...transactionQuery(id),
    refetchInterval: ({ state }) => (state.data?.status === 'pending' ? 2_000 : false),
  })
  const own = useOwnEntries(transaction.data)
  const { queries } = useSeenAccounts(transaction.data)
  // The names of its accounts may be longer than their ids, and would move what stands below.
  const isNamed = queries.every(({ isPending }) => !isPending)
  return (
    <Page title={said.title} width="wide">
      <Panel
        query={{ ...transaction, data: isNamed ? transaction.data : undefined }}
        starts="transactions"
        rows={8}
      >
        {(found) => <Summary transaction={found} />}
      </Panel>
      {transaction.data && <Told transaction={transaction.data} />}
      {transaction.data?.balance_after != null && (
        <>
          <Entries transaction={transaction.data} own={own} />
          <Check id={id} entry={own.data?.[0]} />
        </>
      )}
    </Page>
  )
}

/** The entries of a transaction on the accounts that the reader may see, with their accounts. */
function useOwnEntries(transaction: TransactionDetail | undefined): PanelQuery<OwnEntry[]> {
  const { accounts, queries } = useSeenAccounts(transaction)
  const ids = accounts.map(({ id }) => id)
  const isBooked = transaction?.balance_after != null
  const results = useQueries({
    queries: isBooked ? ids.map((id) => ownEntriesQuery(transaction, id)) : [],
  })
  const all = [...queries, ...results]
  const isPending = all.some((query) => query.isPending)
  const entries = results.flatMap(({ data }, n) =>
    (data ?? []).map((entry) => ({ ...entry, accountId: ids[n]! })),
  )
  return {
    data: isPending ? undefined : entries,
    error: all.find(({ error }) => error)?.error ?? null,
    isPending,
    isFetching: all.some(({ isFetching }) => isFetching),
    dataUpdatedAt: Math.min(...all.map(({ dataUpdatedAt }) => dataUpdatedAt)),
    refetch: () => all.forEach((query) => void query.refetch()),
  }
}

function Summary({ transaction }: { transaction: TransactionDetail }) {
  const said = useTexts(texts)
  const language = useLanguage()
  const nameOf = useAccountNames(transaction)
  const { role } = useSession()
  const { type, status, amount, currency, fee, description } = transaction
  const [from, to] =
    type === 'deposit'
      ? [said.cash, nameOf(transaction.account_id)]
      : [
          nameOf(transaction.account_id),
          transaction.to_account_id ? nameOf(transaction.to_account_id) : said.cash,
        ]
  const related = [
    [said.reverses, transaction.reverses],
    [said.reversedBy, transaction.reversed_by],
  ] as const
  return (
    <>
      <h2>
        {said.types[type]} <Money amount={amount} currency={currency} />
      </h2>
      <Status kind={KINDS[status]} word={said.states[status]} />
      <Facts
        facts={[
          [said.from, <bdi key="from">{from}</bdi>],
          [said.to, <bdi key="to">{to}</bdi>],
          [said.amount, <Money key="a" amount={amount} currency={currency} as="code" />],
          ...(fee === null
            ? []
            : [[said.fee, <Money key="f" amount={fee} currency={currency} as="code" />] as const]),
          ...(description ? [[said.description, <bdi key="d">{description}</bdi>] as const] : []),
          [
            said.valueDate,
            <time key="v" dateTime={transaction.value_date}>
              {formatDay(language, transaction.value_date)}
            </time>,
          ],
          ...related.flatMap(([name, other]) =>
            other
              ? [
                  [
                    name,
                    <Link key="r" href={`/transactions/${other}`}>
                      {said.title}
                    </Link>,
                  ] as const,
                ]
              : [],
          ),
          [said.id, <Id key="i" value={transaction.id} />],
          ...(role === 'operator'
            ? [
                [
                  said.life,
                  <Link key="l" href={`/engine/transfers/${transaction.id}`}>
                    {said.lifeLink}
                  </Link>,
                ] as const,
              ]
            : []),
        ]}
      />
    </>
  )
}

/** Asked, booked, told. */
function Told({ transaction }: { transaction: TransactionDetail }) {
  const said = useTexts(texts)
  const problems = useTexts(problemTexts)
  const language = useLanguage()
  const { data: told } = useQuery(toldQuery(transaction))
  const when = (at: string): string => formatMoment(language, new Date(at))
  const booked = {
    completed: said.bookedIn(when(transaction.timestamp)),
    reversed: said.bookedIn(when(transaction.timestamp)),
    pending: said.bookedSoon,
    rejected: said.bookedNot,
  }[transaction.status]
  const first = told?.[0]
  const { refusal } = transaction
  return (
    <PlainPanel>
      <Steps
        steps={[
          { name: said.asked, text: said.askedOn(when(transaction.timestamp)), kind: 'good' },
          {
            ...{ name: said.booked, text: booked, kind: KINDS[transaction.status] },
            ...(refusal !== null && { quote: problems.byCode[refusal] ?? refusal }),
          },
          {
            name: said.told,
            text: first ? said.toldAt(when(first.timestamp)) : said.toldNot,
            kind: first ? 'good' : 'neutral',
            ...(first && { quote: first.message }),
          },
        ]}
      />
    </PlainPanel>
  )
}
