import type { Entry, TransactionDetail } from '../../../data/transactions.ts'
import { sumOf, toDecimal, toMinorUnits } from '../../../money/money.ts'
import { DataList } from '../../../parts/data-list.tsx'
import { Money } from '../../../parts/money.tsx'
import { Panel, type PanelQuery } from '../../../parts/panel.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import styles from './receipt.module.css'
import { texts } from './receipt.texts.ts'
import { useAccountNames } from './use-account-names.ts'

/** An entry on an account of the reader. */
export type OwnEntry = Entry & { accountId: string }

interface Line {
  key: string
  account: string
  amount: string
  /** Undefined for an entry that the reader can't see. */
  entry?: OwnEntry
}

/** The entries with their sum. */
export function Entries({
  transaction,
  own,
}: {
  transaction: TransactionDetail
  own: PanelQuery<OwnEntry[]>
}) {
  const said = useTexts(texts)
  return (
    <Panel title={said.entries} query={own} starts="accounts" rows={4}>
      {(entries) => <EntryList transaction={transaction} own={entries} />}
    </Panel>
  )
}

/** Entries on accounts of others follow from the transaction. */
function EntryList({ transaction, own }: { transaction: TransactionDetail; own: readonly OwnEntry[] }) {
  const said = useTexts(texts)
  const nameOf = useAccountNames(transaction)
  const { currency } = transaction
  const seen = own.map((entry): Line => ({
    ...{ key: `${entry.accountId} ${entry.version}`, account: nameOf(entry.accountId) },
    ...{ amount: entry.amount, entry },
  }))
  const others = sidesOf(transaction)
    .filter(({ accountId }) => !own.some((entry) => entry.accountId === accountId))
    .map(({ accountId, amount }, n): Line => ({
      key: `other ${n}`,
      account: accountId === 'cash' ? said.cash : accountId === 'fees' ? said.bank : nameOf(accountId),
      amount,
    }))
  const lines = [...seen, ...others].sort((a, b) => Number(isIncoming(a)) - Number(isIncoming(b)))
  const sum = sumOf(
    lines.map(({ amount }) => amount),
    currency,
  )
  return (
    <>
      <p className={styles.hint}>{said.entriesHint}</p>
      <DataList
        label={said.entries}
        rows={lines}
        keyOf={({ key }) => key}
        columns={[
          { title: said.account, cell: ({ account }) => <bdi>{account}</bdi> },
          { title: said.entry, cell: ({ entry }) => (entry ? String(entry.version) : said.entryOfOther) },
          {
            title: said.amount,
            align: 'end',
            cell: ({ amount }) => <Money amount={amount} currency={currency} as="code" signed />,
          },
          {
            title: said.balanceAfter,
            align: 'end',
            cell: ({ entry }) =>
              entry ? <Money amount={entry.balance_after} currency={currency} as="code" /> : '–',
          },
        ]}
      />
      <p className={styles.sum}>
        <span>{said.sum}</span>
        <Money amount={sum} currency={currency} as="code" />
      </p>
    </>
  )
}

const isIncoming = ({ amount }: Line): boolean => !amount.startsWith('-')

/** What each side of a transaction gets. 'cash' and 'fees' are accounts of the bank. */
function sidesOf({ type, account_id, to_account_id, amount, fee, currency }: TransactionDetail) {
  const negated = (text: string): string => toDecimal(-toMinorUnits(text, currency), currency)
  const [from, to] = type === 'deposit' ? ['cash', account_id] : [account_id, to_account_id ?? 'cash']
  return [
    { accountId: from, amount: negated(amount) },
    { accountId: to, amount },
    ...(fee === null ? [] : [{ accountId: 'fees', amount: fee }]),
  ]
}
