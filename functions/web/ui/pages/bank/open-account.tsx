import { useOpenAccount } from '../../data/accounts.ts'
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

/** Asks what kind of account, and opens it. */
export function OpenAccount({ done }: { done: () => void }) {
  const [said, words] = [useTexts(texts), useTexts(common)]
  const open = useOpenAccount()
  const kinds = (['checking', 'savings'] as const).map((value) => ({ value, text: said.kinds[value] }))
  return (
    <PlainPanel title={said.open}>
      <Form
        problem={open.error}
        onSubmit={({ account_type, currency = '' }) =>
          open.mutate(
            { account_type: account_type === 'savings' ? 'savings' : 'checking', currency },
            { onSuccess: done },
          )
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
    </PlainPanel>
  )
}
