import { useReverse } from '../../../data/customers.ts'
import type { Entry } from '../../../data/entries.ts'
import { Button } from '../../../parts/button.tsx'
import { useEntered } from '../../../parts/entered.ts'
import { useMoneyText } from '../../../parts/use-money-text.ts'
import { useTexts } from '../../../texts/define-texts.ts'
import { Ask } from '../ask.tsx'
import styles from '../office.module.css'
import { texts } from './account.texts.ts'

/** Takes the transaction of an entry back, which `words` name. */
export function Reverse({ entry, words }: { entry: Entry; words: string }) {
  const said = useTexts(texts)
  const moneyText = useMoneyText()
  const reverse = useReverse()
  const { amount, currency, transaction_id: id } = entry
  const [isOpen, setOpen] = useEntered(`reverse ${id}`, false)
  const shown = moneyText(amount.replace(/^-/, ''), currency)
  if (!isOpen)
    return (
      <div className={styles.acts}>
        <Button onClick={() => setOpen(true)} aria-label={said.reverseOf(words, shown)}>
          {said.reverse}
        </Button>
      </div>
    )
  return (
    <Ask
      name={`reverse ${id}`}
      effects={[said.reverseEffect]}
      word={said.reverseNow(shown)}
      act={reverse}
      needsReason
      close={() => setOpen(false)}
      onDo={({ reason = '' }) =>
        reverse.mutate({ id, reason: reason.trim() }, { onSuccess: () => setOpen(false) })
      }
    />
  )
}
