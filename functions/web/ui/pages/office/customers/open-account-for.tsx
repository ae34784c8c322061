import { useState } from 'react'
import { useOpenAccountFor, type OpeningBody } from '../../../data/customers.ts'
import { AmountField, useReadAmount } from '../../../parts/amount-field.tsx'
import { useEntered } from '../../../parts/entered.ts'
import { Choice } from '../../../parts/field.tsx'
import { PlainPanel } from '../../../parts/panel.tsx'
import { faultOf } from '../../../parts/problem.ts'
import { useAccountName } from '../../../texts/account-names.ts'
import { useTexts } from '../../../texts/define-texts.ts'
import { Ask } from '../ask.tsx'
import { texts } from './customer.texts.ts'

/** Currencies that are offered. The bank takes any of ISO 4217. */
const OFFERED = ['USD', 'EUR', 'GBP', 'CHF', 'SEK', 'JPY']

/** Opens an account for a customer, perhaps with the cash that they have brought. */
export function OpenAccountFor({
  userId,
  close,
  done,
}: {
  userId: string
  close: () => void
  done: (sentence: string) => void
}) {
  const said = useTexts(texts)
  const [nameOf, readAmount] = [useAccountName(), useReadAmount()]
  const open = useOpenAccountFor()
  const [currency, setCurrency] = useEntered('currency', OFFERED[0]!)
  const [fault, setFault] = useState<unknown>()
  const send = (values: Record<string, string>): void => {
    const typed = (values.balance ?? '').trim()
    const read = typed ? readAmount(typed, currency) : undefined
    if (read && 'message' in read) return setFault(faultOf('/balance', read.message))
    setFault(undefined)
    const body = {
      ...{ user_id: userId, currency },
      account_type: values.account_type === 'savings' ? 'savings' : 'checking',
      ...(read && { balance: read.amount }),
    } satisfies OpeningBody
    open.mutate(body, { onSuccess: () => done(said.opened) })
  }
  return (
    <PlainPanel title={said.open}>
      <Ask
        name="opening"
        effects={[]}
        word={said.openNow}
        look="primary"
        act={open}
        problem={fault}
        close={close}
        onDo={send}
      >
        <Choice
          name="account_type"
          label={said.kind}
          options={(['checking', 'savings'] as const).map((value) => ({
            value,
            text: nameOf({ name: null, account_type: value }),
          }))}
          autoFocus
        />
        <Choice
          name="currency"
          label={said.currency}
          options={OFFERED.map((value) => ({ value, text: value }))}
          value={currency}
          onChange={({ currentTarget }) => setCurrency(currentTarget.value)}
        />
        <AmountField name="balance" label={said.cash} currency={currency} />
      </Ask>
    </PlainPanel>
  )
}
