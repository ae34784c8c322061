import { useState } from 'react'
import type { Hold } from '../../../data/account.ts'
import { useCaptureHold, useReleaseHold } from '../../../data/customers.ts'
import { canBePayee, findPayee, isUnknownPayee, type Payee } from '../../../data/payees.ts'
import { AmountField, useReadAmount } from '../../../parts/amount-field.tsx'
import { Button } from '../../../parts/button.tsx'
import { useEntered } from '../../../parts/entered.ts'
import { Field } from '../../../parts/field.tsx'
import { faultOf } from '../../../parts/problem.ts'
import { useMoneyText } from '../../../parts/use-money-text.ts'
import { useTexts } from '../../../texts/define-texts.ts'
import { Ask } from '../ask.tsx'
import styles from '../office.module.css'
import { texts } from './account.texts.ts'

/** Makes reserved money available again, or pays it to an account. */
export function HoldActs({ hold }: { hold: Hold }) {
  const said = useTexts(texts)
  const [open, setOpen] = useEntered<'release' | 'capture' | undefined>(`hold ${hold.id}`, undefined)
  const close = (): void => setOpen(undefined)
  if (open === 'release') return <Release hold={hold} close={close} />
  if (open === 'capture') return <Capture hold={hold} close={close} />
  // Several are on the page: a screen reader says which one a button is for.
  const about = { 'aria-description': hold.description ?? hold.id }
  return (
    <div className={[styles.buttons, styles.acts].join(' ')}>
      <Button onClick={() => setOpen('release')} {...about}>
        {said.release}
      </Button>
      <Button onClick={() => setOpen('capture')} {...about}>
        {said.capture}
      </Button>
    </div>
  )
}

function Release({ hold, close }: { hold: Hold; close: () => void }) {
  const said = useTexts(texts)
  const moneyText = useMoneyText()
  const release = useReleaseHold()
  return (
    <Ask
      name={`release ${hold.id}`}
      effects={[
        said.releaseEffect(moneyText(hold.amount, hold.currency)),
        ...(hold.via === null ? [] : [said.ofPayment]),
      ]}
      word={said.releaseNow(moneyText(hold.amount, hold.currency))}
      act={release}
      close={close}
      onDo={() => release.mutate(hold.id, { onSuccess: close })}
    />
  )
}

/** What is to be confirmed: to whom, and how much. */
interface Checked {
  payee: Payee
  amount: string
}

function Capture({ hold, close }: { hold: Hold; close: () => void }) {
  const said = useTexts(texts)
  const [moneyText, readAmount] = [useMoneyText(), useReadAmount()]
  const capture = useCaptureHold()
  const [problem, setProblem] = useState<unknown>()
  const [checked, setChecked] = useEntered<Checked | undefined>(`checked ${hold.id}`, undefined)
  const { id, amount, currency } = hold

  async function check({ payee: asked = '', amount: typed = '' }: Record<string, string>): Promise<void> {
    if (!canBePayee(asked)) throw faultOf('/payee', said.noPayee)
    const read = readAmount(typed, currency)
    if ('message' in read) throw faultOf('/amount', read.message)
    const payee = await findPayee(asked.trim(), currency).catch((error: unknown) => {
      throw isUnknownPayee(error) ? faultOf('/payee', said.unknownPayee) : error
    })
    setChecked({ payee, amount: read.amount })
  }

  if (checked)
    return (
      <Ask
        name={`captured ${id}`}
        effects={[said.captureEffect(moneyText(checked.amount, currency), checked.payee.name)]}
        word={said.captureNow(moneyText(checked.amount, currency))}
        act={capture}
        close={close}
        onDo={() =>
          capture.mutate(
            { id, to_account_id: checked.payee.account_id, amount: checked.amount },
            { onSuccess: close },
          )
        }
      />
    )
  return (
    <Ask
      name={`capture ${id}`}
      effects={[]}
      word={said.check}
      look="primary"
      act={{ error: null, isPending: false }}
      problem={problem}
      close={close}
      onDo={(values) => {
        setProblem(undefined)
        void check(values).catch(setProblem)
      }}
    >
      <Field name="payee" label={said.payee} hint={said.payeeHint} required autoComplete="off" autoFocus />
      <AmountField name="amount" label={said.amount} currency={currency} defaultAmount={amount} required />
    </Ask>
  )
}
