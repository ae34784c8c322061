import { useState } from 'react'
import { openAccounts, type Account } from '../../../data/accounts.ts'
import type { OrderRefusal } from '../../../data/money-order.ts'
import type { OrderDesk } from '../../../data/order-desk.ts'
import { canBePayee, findPayee, isUnknownPayee } from '../../../data/payees.ts'
import { AccountChoice } from '../../../parts/account-choice.tsx'
import { AmountField, useReadAmount } from '../../../parts/amount-field.tsx'
import { Button, ButtonLink } from '../../../parts/button.tsx'
import { Field } from '../../../parts/field.tsx'
import { Form } from '../../../parts/form.tsx'
import { faultOf } from '../../../parts/problem.ts'
import { useIsOnline } from '../../../parts/use-is-online.ts'
import { useTexts } from '../../../texts/define-texts.ts'
import { kinds, toBody, type Draft } from './draft.ts'
import styles from './move.module.css'
import { texts } from './move.texts.ts'
import { Refused } from './refused.tsx'

interface MoveFormProps {
  accounts: readonly Account[]
  draft: Draft
  onChange: (draft: Draft) => void
  desk: OrderDesk
  refusal: OrderRefusal | undefined
}

/** Enter: what to move, from where, to whom. */
export function MoveForm({ accounts, draft, onChange, desk, refusal }: MoveFormProps) {
  const said = useTexts(texts)
  const isOnline = useIsOnline()
  const { problem, isBusy, submit, forget } = useReviewing({ accounts, draft, desk })
  const open = openAccounts(accounts)
  const from = open.find(({ id }) => id === draft.accountId)
  const others = open.filter(({ id, currency }) => id !== draft.accountId && currency === from?.currency)
  const change = (part: Partial<Draft>): void => {
    forget()
    onChange({ ...draft, ...part })
  }
  return (
    <Form name="order" onSubmit={() => void submit()} problem={problem}>
      {refusal && !problem && <Refused refusal={refusal} account={from} />}
      <KindChoice draft={draft} onChange={change} />
      <AccountChoice
        name="account_id"
        label={draft.kind === 'deposit' ? said.to : said.from}
        accounts={open}
        blank={said.choose}
        value={draft.accountId}
        onChoose={(accountId) => change({ accountId, toAccountId: '' })}
      />
      {draft.kind === 'transfer' && others.length > 0 && (
        <AccountChoice
          name="to_account_id"
          label={said.to}
          accounts={others}
          blank={said.choose}
          value={draft.toAccountId}
          onChoose={(toAccountId) => change({ toAccountId })}
        />
      )}
      {draft.kind === 'transfer' && from && others.length === 0 && (
        <div className={styles.note}>
          <p>{said.oneAccount}</p>
          <ButtonLink href="/">{said.openAccount}</ButtonLink>
        </div>
      )}
      {draft.kind === 'pay' && (
        <Field
          name="payee"
          label={said.payee}
          hint={said.payeeHint}
          value={draft.payee}
          autoComplete="off"
          onChange={({ currentTarget }) => change({ payee: currentTarget.value })}
        />
      )}
      <AmountField
        name="amount"
        label={said.amount}
        currency={from?.currency ?? 'USD'}
        value={draft.amount}
        onChange={({ currentTarget }) => change({ amount: currentTarget.value })}
      />
      <Field
        name="description"
        label={said.description}
        maxLength={140}
        dir="auto"
        value={draft.description}
        onChange={({ currentTarget }) => change({ description: currentTarget.value })}
      />
      {!isOnline && <p role="status">{said.offline}</p>}
      <Button type="submit" look="primary" disabled={!isOnline || isBusy}>
        {said.review}
      </Button>
    </Form>
  )
}

function KindChoice({ draft, onChange }: { draft: Draft; onChange: (part: Partial<Draft>) => void }) {
  const said = useTexts(texts)
  return (
    <fieldset className={styles.kinds}>
      <legend className="visually-hidden">{said.kind}</legend>
      {kinds.map((kind) => (
        <label key={kind} className={styles.kind}>
          <input
            type="radio"
            name="kind"
            value={kind}
            checked={draft.kind === kind}
            onChange={() => onChange({ kind })}
          />
          {said.kinds[kind]}
        </label>
      ))}
    </fieldset>
  )
}

/** Checks what was entered, names the payee, and puts the order on the desk for review. */
function useReviewing({ accounts, draft, desk }: Pick<MoveFormProps, 'accounts' | 'draft' | 'desk'>) {
  const said = useTexts(texts)
  const readAmount = useReadAmount()
  const [problem, setProblem] = useState<unknown>()
  const [isBusy, setBusy] = useState(false)

  async function review(): Promise<void> {
    const from = openAccounts(accounts).find(({ id }) => id === draft.accountId)
    if (!from) throw faultOf('/account_id', said.chooseFirst)
    const { currency } = from
    const isPayment = draft.kind === 'pay'
    if (draft.kind === 'transfer' && !draft.toAccountId) throw faultOf('/to_account_id', said.chooseFirst)
    if (isPayment && !canBePayee(draft.payee)) throw faultOf('/payee', said.noPayee)
    const read = readAmount(draft.amount, currency)
    if ('message' in read) throw faultOf('/amount', read.message)
    const asked = draft.payee.trim()
    const payee = isPayment ? await findPayee(asked, currency).catch(toFault) : undefined
    if (payee && payee.currency !== currency) throw faultOf('/payee', said.payeeCurrency(payee.currency))
    const body = toBody(draft, { ...read, currency, to: payee?.account_id ?? draft.toAccountId })
    desk.review(body, payee && { asked, name: payee.name })
  }

  function toFault(error: unknown): never {
    throw isUnknownPayee(error) ? faultOf('/payee', said.unknownPayee) : error
  }

  async function submit(): Promise<void> {
    if (isBusy) return
    setBusy(true)
    setProblem(undefined)
    await review()
      .catch(setProblem)
      .finally(() => setBusy(false))
  }
  return { problem, isBusy, submit, forget: () => setProblem(undefined) }
}
