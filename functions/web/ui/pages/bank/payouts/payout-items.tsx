import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from 'wouter'
import { payoutQuery, type PayoutItem } from '../../../data/payouts.ts'
import { DataList } from '../../../parts/data-list.tsx'
import { Id } from '../../../parts/id.tsx'
import { Money } from '../../../parts/money.tsx'
import { More } from '../../../parts/more.tsx'
import { Panel } from '../../../parts/panel.tsx'
import { Status } from '../../../parts/status.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import styles from './payouts.module.css'
import { texts } from './payouts.texts.ts'

const kinds = { pending: 'cold', paid: 'good', refused: 'bad' } as const

/** The items of one payout, and what has come of each so far. */
export function PayoutItems({ id }: { id: string }) {
  const said = useTexts(texts)
  const payout = useInfiniteQuery(payoutQuery(id))
  const { data, error, isPending, isFetching, dataUpdatedAt, refetch } = payout
  const query = { data: data?.pages, error, isPending, isFetching, dataUpdatedAt, refetch }
  return (
    <Panel title={said.items} query={query} starts="payouts">
      {(pages) => {
        const { counts, currency } = pages[0]!
        const { paid, refused, pending } = counts
        return (
          <>
            <div className={styles.progress}>
              <progress max={paid + refused + pending} value={paid + refused} aria-label={said.items} />
              <p role="status">{said.counts(String(paid), String(refused), String(pending))}</p>
            </div>
            <DataList
              label={said.items}
              rows={pages.flatMap(({ items }) => items)}
              keyOf={({ number }) => String(number)}
              columns={[
                { title: said.line, cell: ({ number }) => number },
                { title: said.payee, cell: (item) => <PaidTo item={item} /> },
                {
                  title: said.amount,
                  align: 'end',
                  cell: ({ amount }) => <Money amount={amount} currency={currency} as="code" />,
                },
                { title: said.note, cell: ({ note }) => <bdi>{note ?? '–'}</bdi> },
                { title: said.state, cell: (item) => <State item={item} /> },
              ]}
            />
            <div className={styles.buttons}>
              <More list={payout} />
            </div>
          </>
        )
      }}
    </Panel>
  )
}

function PaidTo({ item: { email, to_account_id: account } }: { item: PayoutItem }) {
  return email === null ? <Id value={account ?? ''} /> : <bdi className={styles.payee}>{email}</bdi>
}

function State({ item: { status, problem, transaction_id: transaction } }: { item: PayoutItem }) {
  const said = useTexts(texts)
  return (
    <span className={styles.state}>
      <Status kind={kinds[status]} word={said.itemStates[status]} />
      {problem !== null && <span>{said.problems[problem] ?? problem}</span>}
      {transaction !== null && <Link href={`/transactions/${transaction}`}>{said.receipt}</Link>}
    </span>
  )
}
