import { useState } from 'react'
import { likelyAccount, type Account } from '../../../data/accounts.ts'
import { newKey } from '../../../data/new-key.ts'
import { isOutcomeOpen } from '../../../data/open-outcome.ts'
import { useCreatePayout, type CreatePayoutRequest } from '../../../data/payouts.ts'
import { sumOf } from '../../../money/money.ts'
import { useReadAmount } from '../../../parts/amount-field.tsx'
import { Button } from '../../../parts/button.tsx'
import { DataList } from '../../../parts/data-list.tsx'
import { ProblemNote } from '../../../parts/problem-note.tsx'
import { Status } from '../../../parts/status.tsx'
import { useIsOnline } from '../../../parts/use-is-online.ts'
import { useMoneyText } from '../../../parts/use-money-text.ts'
import { useAccountLabel } from '../../../texts/account-names.ts'
import { useTexts } from '../../../texts/define-texts.ts'
import styles from './payouts.module.css'
import { texts } from './payouts.texts.ts'
import { readPayoutRows, type TypedPayoutRow } from './rows.ts'

const ITEMS_MAX = 1_000
const NOTE_MAX = 140
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/

type Item = CreatePayoutRequest['items'][number]
type CheckedRow = TypedPayoutRow & ({ item: Item & { amount: string } } | { fault: string })

/** What was checked, with the key that makes it one payout. A changed text is another one. */
interface Checked {
  account: Account
  rows: CheckedRow[]
  key: string
}

/** Rows are typed or come from a file; all are checked before any is sent. */
export function NewPayout({
  accounts,
  onMade,
}: {
  accounts: readonly Account[]
  onMade: (id: string) => void
}) {
  const said = useTexts(texts)
  const labelOf = useAccountLabel()
  const moneyText = useMoneyText()
  const check = useCheck()
  const [accountId, setAccountId] = useState(likelyAccount(accounts)?.id ?? '')
  const [text, setText] = useState('')
  const [checked, setChecked] = useState<Checked>()
  const account = accounts.find(({ id }) => id === accountId) ?? accounts[0]!
  const change = (next: string): void => {
    setText(next)
    setChecked(undefined)
  }
  return (
    <div className={styles.form}>
      <label className={styles.field}>
        {said.from}
        <select
          value={account.id}
          onChange={({ currentTarget }) => {
            setAccountId(currentTarget.value)
            setChecked(undefined)
          }}
        >
          {accounts.map((each) => (
            <option key={each.id} value={each.id}>
              {labelOf(each)} · {moneyText(each.available, each.currency)}
            </option>
          ))}
        </select>
      </label>
      <label className={styles.field}>
        {said.file}
        <input
          type="file"
          accept=".csv,.txt,text/csv,text/plain"
          onChange={({ currentTarget }) => void currentTarget.files?.[0]?.text().then(change)}
        />
      </label>
      <label className={styles.field}>
        {said.rows}
        <textarea
          rows={6}
          value={text}
          aria-describedby="rows-hint"
          spellCheck={false}
          onChange={({ currentTarget }) => change(currentTarget.value)}
        />
      </label>
      <p id="rows-hint" className={styles.soft}>
        {said.rowsHint}
      </p>
      {!checked && (
        <div className={styles.buttons}>
          <Button onClick={() => setChecked({ account, rows: check(text, account.currency), key: newKey() })}>
            {said.check}
          </Button>
        </div>
      )}
      {checked && (
        <Send
          checked={checked}
          onMade={(id) => {
            change('')
            onMade(id)
          }}
        />
      )}
    </div>
  )
}

/** Returns what checks each row as far as the browser can. The bank judges the rest, item by item. */
function useCheck(): (text: string, currency: string) => CheckedRow[] {
  const said = useTexts(texts)
  const readAmount = useReadAmount()
  return (text, currency) =>
    readPayoutRows(text).map((row): CheckedRow => {
      const { payee, amount, note, cells } = row
      const read = readAmount(amount, currency)
      if (cells > 3) return { ...row, fault: said.faults.cells }
      if (!UUID.test(payee) && !EMAIL.test(payee)) return { ...row, fault: said.faults.payee }
      if ('message' in read) return { ...row, fault: read.message }
      if (note.length > NOTE_MAX) return { ...row, fault: said.faults.note }
      const to = EMAIL.test(payee) ? { email: payee } : { to_account_id: payee.toLowerCase() }
      return { ...row, item: { ...to, amount: read.amount, ...(note && { note }) } }
    })
}

function Send({
  checked: { account, rows, key },
  onMade,
}: {
  checked: Checked
  onMade: (id: string) => void
}) {
  const said = useTexts(texts)
  const moneyText = useMoneyText()
  const isOnline = useIsOnline()
  const create = useCreatePayout()
  const [isOpen, setOpen] = useState(false)
  const items = rows.flatMap((row) => ('item' in row ? [row.item] : []))
  const wrong = rows.length - items.length
  const { currency } = account
  if (rows.length === 0) return <p role="status">{said.noRows}</p>
  if (rows.length > ITEMS_MAX) return <p role="status">{said.tooMany}</p>
  const sum = sumOf(
    items.map(({ amount }) => amount),
    currency,
  )
  return (
    <>
      <DataList
        label={said.checked}
        rows={rows}
        keyOf={({ line }) => String(line)}
        columns={[
          { title: said.line, cell: ({ line }) => line },
          { title: said.payee, cell: ({ payee }) => <bdi className={styles.payee}>{payee}</bdi> },
          {
            title: said.amount,
            align: 'end',
            cell: (row) => ('item' in row ? moneyText(row.item.amount, currency) : row.amount),
          },
          { title: said.note, cell: ({ note }) => <bdi className={styles.payee}>{note || '–'}</bdi> },
          {
            title: said.state,
            cell: (row) =>
              'item' in row ? (
                <Status kind="good" word={said.good} />
              ) : (
                <span className={styles.fault}>▲ {row.fault}</span>
              ),
          },
        ]}
      />
      {isOpen ? <p role="alert">{said.noAnswer}</p> : <ProblemNote problem={create.error} />}
      {!isOnline && <p role="status">{said.offline}</p>}
      {wrong > 0 ? (
        <p role="status">{said.wrong(String(wrong))}</p>
      ) : (
        <div className={styles.buttons}>
          <Button
            look="primary"
            disabled={create.isPending || !isOnline}
            onClick={() =>
              create.mutate(
                { body: { account_id: account.id, items }, key },
                {
                  onSuccess: ({ id }) => onMade(id),
                  onError: (failure) => setOpen((was) => isOutcomeOpen(failure, was)),
                },
              )
            }
          >
            {said.pay(moneyText(sum, currency), String(items.length))}
          </Button>
        </div>
      )}
    </>
  )
}
