import { useState } from 'react'
import { likelyAccount, type Account } from '../../../data/accounts.ts'
import { KeyTooOldError, type KeptAct } from '../../../data/kept-act.ts'
import { newKey } from '../../../data/new-key.ts'
import { isOutcomeOpen } from '../../../data/open-outcome.ts'
import {
  unansweredPayout,
  useCreatePayout,
  type CheckedPayout,
  type CreatePayoutRequest,
} from '../../../data/payouts.ts'
import { useSession } from '../../../data/session.ts'
import { sumOf } from '../../../money/money.ts'
import { AccountChoice } from '../../../parts/account-choice.tsx'
import { useReadAmount } from '../../../parts/amount-field.tsx'
import { Button } from '../../../parts/button.tsx'
import { DataList } from '../../../parts/data-list.tsx'
import { useEntered } from '../../../parts/entered.ts'
import { ProblemNote } from '../../../parts/problem-note.tsx'
import { Status } from '../../../parts/status.tsx'
import { useIsOnline } from '../../../parts/use-is-online.ts'
import { useMoneyText } from '../../../parts/use-money-text.ts'
import { useTexts } from '../../../texts/define-texts.ts'
import styles from './payouts.module.css'
import { texts } from './payouts.texts.ts'
import { readTextFile } from './read-file.ts'
import { readPayoutRows, type TypedPayoutRow } from './rows.ts'
import { hasUnseen } from '../../../../../host/values/unseen.ts'
import { ANY_UUID } from '../../../../../host/values/uuid-text.ts'

const ITEMS_MAX = 1_000
const NOTE_MAX = 140
/** As the bank takes it, so that a fault has a row. */
const EMAIL =
  /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/
const EMAIL_MAX = 254

type Item = CreatePayoutRequest['items'][number]
type CheckedRow = TypedPayoutRow &
  ({ item: Item & { amount: string }; repeats: number | undefined } | { fault: string })

/** What was checked, with the key that makes it one payout. A changed text gets another key. So does the same
 * text after a refusal, because the bank keeps the refusal under the old key. */
interface Checked extends KeptAct {
  account: Account
  rows: CheckedRow[]
  /** Whether it was sent, and may have been made. */
  isOpen: boolean
}

const newlyKeyed = (): KeptAct & { isOpen: false } => ({ key: newKey(), madeAtMs: Date.now(), isOpen: false })

/** Rows are typed or come from a file; all are checked before any is sent. A payout without an answer comes
 * first: as long as it may have been made, there is no other. */
export function NewPayout({
  accounts,
  onMade,
}: {
  accounts: readonly Account[]
  onMade: (id: string) => void
}) {
  const said = useTexts(texts)
  const { user_id: owner } = useSession()
  const create = useCreatePayout()
  const [text, setText] = useEntered('rows', '')
  const [checked, setChecked] = useState<Checked>()
  const unanswered = unansweredPayout(owner)
  const send = (payout: CheckedPayout): void =>
    create.mutate(payout, {
      onSuccess: ({ id }) => {
        setText('')
        setChecked(undefined)
        onMade(id)
      },
      // A browser that keeps nothing still has the key here.
      onError: (error) =>
        setChecked((was) => {
          if (!was || unansweredPayout(owner) || error instanceof KeyTooOldError) return undefined
          return isOutcomeOpen(error, was.isOpen) ? { ...was, isOpen: true } : { ...was, ...newlyKeyed() }
        }),
    })
  if (unanswered && unanswered.key !== checked?.key)
    return (
      <section className={styles.form} aria-label={said.unanswered}>
        <p role="alert">{said.noAnswer}</p>
        <Pay payout={unanswered} isPending={create.isPending} send={send} />
      </section>
    )
  const change = (next: string): void => {
    setText(next)
    setChecked(undefined)
    create.reset()
  }
  return (
    <div className={styles.form}>
      <Rows accounts={accounts} text={text} change={change} check={checked ? undefined : setChecked} />
      {checked && <CheckedRows checked={checked} isPending={create.isPending} send={send} />}
      <ProblemNote problem={create.error} />
    </div>
  )
}

/** The form. `check` takes what was checked; without it the rows are checked already. */
function Rows({
  accounts,
  text,
  change,
  check,
}: {
  accounts: readonly Account[]
  text: string
  change: (text: string) => void
  check: ((checked: Checked) => void) | undefined
}) {
  const said = useTexts(texts)
  const checkRows = useCheck()
  const [accountId, setAccountId] = useEntered('account', likelyAccount(accounts)?.id ?? '')
  const [isUnread, setUnread] = useState(false)
  const account = accounts.find(({ id }) => id === accountId) ?? accounts[0]!
  const read = async (file: File): Promise<void> => {
    const found = await readTextFile(file)
    setUnread(found === undefined)
    change(found ?? '')
  }
  return (
    <>
      <AccountChoice
        name="account_id"
        label={said.from}
        accounts={accounts}
        value={account.id}
        onChoose={(id) => {
          setAccountId(id)
          change(text)
        }}
      />
      <label className={styles.field}>
        {said.file}
        <input
          className={styles.control}
          type="file"
          accept=".csv,.txt,text/csv,text/plain"
          // So that the same file can be chosen again once it is corrected.
          onClick={({ currentTarget }) => (currentTarget.value = '')}
          onChange={({ currentTarget }) => {
            const file = currentTarget.files?.[0]
            if (file) void read(file)
          }}
        />
      </label>
      <p role="status">{isUnread && said.noFile}</p>
      <label className={styles.field}>
        {said.rows}
        <textarea
          className={styles.control}
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
      {check && (
        <div className={styles.buttons}>
          <Button
            onClick={() => {
              change(text)
              check({ account, rows: checkRows(text, account.currency), ...newlyKeyed() })
            }}
          >
            {said.check}
          </Button>
        </div>
      )}
    </>
  )
}

/** Returns what checks each row as far as the browser can. The bank judges the rest, item by item. */
function useCheck(): (text: string, currency: string) => CheckedRow[] {
  const said = useTexts(texts)
  const readAmount = useReadAmount()
  const faultOf = ({ payee, note, cells, isMisquoted }: TypedPayoutRow): string | undefined => {
    if (isMisquoted) return said.faults.quotes
    if (cells > 3) return said.faults.cells
    if (!ANY_UUID.test(payee) && (!EMAIL.test(payee) || payee.length > EMAIL_MAX)) return said.faults.payee
    if (note.length > NOTE_MAX) return said.faults.note
    return hasUnseen(note) ? said.faults.noteText : undefined
  }
  return (text, currency) => {
    const lines = new Map<string, number>()
    return readPayoutRows(text).map((row): CheckedRow => {
      const { line, payee, amount, note } = row
      const fault = faultOf(row)
      if (fault) return { ...row, fault }
      const read = readAmount(amount, currency)
      if ('message' in read) return { ...row, fault: read.message }
      const to = ANY_UUID.test(payee) ? { to_account_id: payee.toLowerCase() } : { email: payee }
      const name = `${payee.toLowerCase()} ${read.amount}`
      const repeats = lines.get(name)
      if (repeats === undefined) lines.set(name, line)
      return { ...row, item: { ...to, amount: read.amount, ...(note && { note }) }, repeats }
    })
  }
}

interface Sending {
  isPending: boolean
  send: (payout: CheckedPayout) => void
}

function CheckedRows({
  checked: { account, rows, key, madeAtMs },
  ...sending
}: {
  checked: Checked
} & Sending) {
  const said = useTexts(texts)
  const moneyText = useMoneyText()
  const items = rows.flatMap((row) => ('item' in row ? [row.item] : []))
  const wrong = rows.length - items.length
  const { id, currency } = account
  if (rows.length === 0) return <p role="status">{said.noRows}</p>
  if (rows.length > ITEMS_MAX) return <p role="status">{said.tooMany}</p>
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
          { title: said.state, cell: (row) => <RowState row={row} /> },
        ]}
      />
      {wrong > 0 ? (
        <p role="status">{said.wrong(String(wrong))}</p>
      ) : (
        <Pay payout={{ key, body: { account_id: id, items }, currency, madeAtMs }} {...sending} />
      )}
    </>
  )
}

function RowState({ row }: { row: CheckedRow }) {
  const said = useTexts(texts)
  if ('fault' in row) return <span className={styles.fault}>▲ {row.fault}</span>
  if (row.repeats === undefined) return <Status kind="good" word={said.good} />
  return <Status kind="warn" word={said.repeats(String(row.repeats))} />
}

function Pay({ payout, isPending, send }: { payout: CheckedPayout } & Sending) {
  const said = useTexts(texts)
  const moneyText = useMoneyText()
  const isOnline = useIsOnline()
  const { body, currency } = payout
  const sum = sumOf(
    body.items.map(({ amount }) => String(amount)),
    currency,
  )
  return (
    <>
      {!isOnline && <p role="status">{said.offline}</p>}
      <div className={styles.buttons}>
        <Button look="primary" disabled={isPending || !isOnline} onClick={() => send(payout)}>
          {said.pay(moneyText(sum, currency), String(body.items.length))}
        </Button>
      </div>
    </>
  )
}
