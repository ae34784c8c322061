import { useState } from 'react'
import { unansweredOpening, useOpenAccount, type AccountOpening } from '../../data/accounts.ts'
import { KeyTooOldError } from '../../data/kept-act.ts'
import { newKey } from '../../data/new-key.ts'
import { isOutcomeOpen } from '../../data/open-outcome.ts'
import { useSession } from '../../data/session.ts'
import { Button } from '../../parts/button.tsx'
import { Choice } from '../../parts/field.tsx'
import { Form } from '../../parts/form.tsx'
import { PlainPanel } from '../../parts/panel.tsx'
import { common } from '../../texts/common.texts.ts'
import { useTexts } from '../../texts/define-texts.ts'
import styles from './home.module.css'
import { texts } from './home.texts.ts'

/** Currencies that are offered. The bank takes any of ISO 4217. */
const OFFERED = ['USD', 'EUR', 'GBP', 'CHF', 'SEK', 'JPY']

/** Asks what kind of account, and opens it. An opening without an answer comes first: while its account may
 * exist, no other is opened. */
export function OpenAccount({ done }: { done: () => void }) {
  const said = useTexts(texts)
  const { user_id: owner } = useSession()
  const open = useOpenAccount()
  const [unanswered, setUnanswered] = useState(() => unansweredOpening(owner))
  const send = (opening: AccountOpening): void =>
    open.mutate(opening, {
      onSuccess: done,
      onError: (error) =>
        setUnanswered((before) => {
          const isOpen = !(error instanceof KeyTooOldError) && isOutcomeOpen(error, before !== undefined)
          return isOpen ? opening : undefined
        }),
    })
  return (
    <PlainPanel title={said.open}>
      {unanswered ? (
        <>
          <p role="alert">{said.noAnswer(said.kinds[unanswered.body.account_type])}</p>
          <div className={styles.buttons}>
            <Button look="primary" disabled={open.isPending} onClick={() => send(unanswered)}>
              {said.askAgain}
            </Button>
          </div>
        </>
      ) : (
        <OpeningForm open={open} send={send} done={done} />
      )}
    </PlainPanel>
  )
}

function OpeningForm({
  open,
  send,
  done,
}: {
  open: ReturnType<typeof useOpenAccount>
  send: (opening: AccountOpening) => void
  done: () => void
}) {
  const [said, words] = [useTexts(texts), useTexts(common)]
  const kinds = (['checking', 'savings'] as const).map((value) => ({ value, text: said.kinds[value] }))
  return (
    <Form
      name="opening"
      problem={open.error}
      onSubmit={({ account_type, currency = '' }) =>
        send({
          ...{ key: newKey(), madeAtMs: Date.now() },
          body: { account_type: account_type === 'savings' ? 'savings' : 'checking', currency },
        })
      }
    >
      <div className={styles.choices}>
        <Choice name="account_type" label={said.kind} options={kinds} />
        <Choice
          name="currency"
          label={said.currency}
          options={OFFERED.map((value) => ({ value, text: value }))}
        />
      </div>
      <div className={styles.buttons}>
        <Button type="submit" look="primary" disabled={open.isPending}>
          {said.openIt}
        </Button>
        <Button onClick={done}>{words.cancel}</Button>
      </div>
    </Form>
  )
}
