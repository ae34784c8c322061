import { useEffect, useRef, useState } from 'react'
import { likelyAccount, type Account } from '../../../data/accounts.ts'
import { canBePayee, findPayee, isUnknownPayee, type Payee } from '../../../data/payees.ts'
import { KeyTooOldError } from '../../../data/kept-act.ts'
import { newKey } from '../../../data/new-key.ts'
import { isOutcomeOpen } from '../../../data/open-outcome.ts'
import { isUnansweredPayment, useCreatePayment, type CheckedPayment } from '../../../data/payments.ts'
import { useSession } from '../../../data/session.ts'
import { AccountChoice } from '../../../parts/account-choice.tsx'
import { AmountField, useReadAmount } from '../../../parts/amount-field.tsx'
import { Button } from '../../../parts/button.tsx'
import { useEntered } from '../../../parts/entered.ts'
import { Field } from '../../../parts/field.tsx'
import { Form } from '../../../parts/form.tsx'
import { ProblemNote } from '../../../parts/problem-note.tsx'
import { faultOf } from '../../../parts/problem.ts'
import { useFocusReturn } from '../../../parts/use-focus-return.ts'
import { useIsOnline } from '../../../parts/use-is-online.ts'
import { useMoneyText } from '../../../parts/use-money-text.ts'
import { askedAs } from '../../../texts/account-names.ts'
import { useTexts } from '../../../texts/define-texts.ts'
import styles from './payments.module.css'
import { texts } from './payments.texts.ts'

/** What is to be confirmed. The key belongs to this body: whatever is lost, it is one payment. */
interface Confirming extends CheckedPayment {
  asked: string
  payee: Payee
}

interface Typed {
  accountId: string
  payee: string
  amount: string
  description: string
}

/** Enter, confirm the payee by name, set money aside. */
export function NewPayment({ accounts }: { accounts: readonly Account[] }) {
  const [confirming, setConfirming] = useEntered<Confirming | undefined>('confirming', undefined)
  const blank: Typed = {
    accountId: likelyAccount(accounts)?.id ?? '',
    payee: '',
    amount: '',
    description: '',
  }
  const [typed, setTyped] = useEntered('payment', blank)
  if (!confirming) return <PaymentForm {...{ accounts, typed, setTyped }} onChecked={setConfirming} />
  return (
    <Confirm
      confirming={confirming}
      onChange={() => setConfirming(undefined)}
      onDone={() => {
        setConfirming(undefined)
        setTyped(blank)
      }}
    />
  )
}

function PaymentForm({
  accounts,
  typed,
  setTyped,
  onChecked,
}: {
  accounts: readonly Account[]
  typed: Typed
  setTyped: (typed: Typed) => void
  onChecked: (confirming: Confirming) => void
}) {
  const said = useTexts(texts)
  const readAmount = useReadAmount()
  const isOnline = useIsOnline()
  const [problem, setProblem] = useState<unknown>()
  const account = accounts.find(({ id }) => id === typed.accountId) ?? accounts[0]!
  const change = (part: Partial<Typed>): void => {
    setProblem(undefined)
    setTyped({ ...typed, ...part })
  }

  async function check(): Promise<void> {
    const { currency } = account
    if (!canBePayee(typed.payee)) throw faultOf('/payee', said.noPayee)
    const read = readAmount(typed.amount, currency)
    if ('message' in read) throw faultOf('/amount', read.message)
    const asked = typed.payee.trim()
    const payee = await findPayee(asked, currency).catch((error: unknown) => {
      throw isUnknownPayee(error) ? faultOf('/payee', said.unknownPayee) : error
    })
    if (payee.currency !== currency) throw faultOf('/payee', said.payeeCurrency(payee.currency))
    const description = typed.description.trim()
    const body = {
      account_id: account.id,
      payee_account_id: payee.account_id,
      amount: read.amount,
      currency,
      ...(description && { description }),
    }
    onChecked({ body, key: newKey(), madeAtMs: Date.now(), asked, payee })
  }

  return (
    <Form name="payment" onSubmit={() => void check().catch(setProblem)} problem={problem}>
      <AccountChoice
        name="account_id"
        label={said.from}
        accounts={accounts}
        value={account.id}
        onChoose={(accountId) => change({ accountId })}
      />
      <Field
        name="payee"
        label={said.payee}
        hint={said.payeeHint}
        autoComplete="off"
        value={typed.payee}
        onChange={({ currentTarget }) => change({ payee: currentTarget.value })}
      />
      <AmountField
        name="amount"
        label={said.amount}
        currency={account.currency}
        value={typed.amount}
        onChange={({ currentTarget }) => change({ amount: currentTarget.value })}
      />
      <Field
        name="description"
        label={said.description}
        maxLength={140}
        dir="auto"
        value={typed.description}
        onChange={({ currentTarget }) => change({ description: currentTarget.value })}
      />
      {!isOnline && <p role="status">{said.offline}</p>}
      <Button type="submit" look="primary" disabled={!isOnline}>
        {said.check}
      </Button>
    </Form>
  )
}

function Confirm({
  confirming: { body, key, madeAtMs, asked, payee },
  onChange,
  onDone,
}: {
  confirming: Confirming
  onChange: () => void
  onDone: () => void
}) {
  const said = useTexts(texts)
  const moneyText = useMoneyText()
  const isOnline = useIsOnline()
  const create = useCreatePayment()
  const amount = moneyText(body.amount, body.currency)
  const { error } = create
  const isTooOld = error instanceof KeyTooOldError
  const { user_id: owner } = useSession()
  const [isOpen, setOpen] = useEntered('unanswered', () => isUnansweredPayment(owner, key))
  const part = useFocusReturn<HTMLDivElement>()
  const question = useRef<HTMLParagraphElement>(null)
  useEffect(() => question.current?.focus(), [])
  return (
    <div ref={part} className={styles.confirm}>
      <p ref={question} tabIndex={-1}>
        <bdi>{said.confirm(amount, payee.name, askedAs(asked))}</bdi>
      </p>
      {isOpen && !isTooOld ? <p role="alert">{said.noAnswer}</p> : <ProblemNote problem={error} />}
      {!isOnline && <p role="status">{said.offline}</p>}
      <div className={styles.buttons}>
        {!isTooOld && (
          <Button
            look="primary"
            disabled={create.isPending || !isOnline}
            onClick={() =>
              create.mutate(
                { body, key, madeAtMs },
                { onSuccess: onDone, onError: (failure) => setOpen(isOutcomeOpen(failure, isOpen)) },
              )
            }
          >
            {said.create(amount)}
          </Button>
        )}
        {/* What may have been set aside can't be changed: that would be another payment. */}
        {(!isOpen || isTooOld) && (
          <Button disabled={create.isPending} onClick={onChange}>
            {said.change}
          </Button>
        )}
      </div>
    </div>
  )
}
