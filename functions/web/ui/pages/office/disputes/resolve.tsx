import { useResolve, type Disputed, type DisputeAction, type TransferKind } from '../../../data/disputes.ts'
import { Button } from '../../../parts/button.tsx'
import { useEntered } from '../../../parts/entered.ts'
import { Field } from '../../../parts/field.tsx'
import { useMoneyText } from '../../../parts/use-money-text.ts'
import { useTexts } from '../../../texts/define-texts.ts'
import { Ask } from '../ask.tsx'
import styles from '../office.module.css'
import { texts } from './disputes.texts.ts'

/** What ends a dispute: the bank says which of these it takes. */
export function Resolve({ kind, one }: { kind: TransferKind; one: Disputed }) {
  const said = useTexts(texts)
  const moneyText = useMoneyText()
  const { id, amount, currency, status, resolvable_by: actions } = one
  const [action, setAction] = useEntered<DisputeAction | undefined>(`resolve ${id}`, undefined)
  const resolve = useResolve(kind)
  const shown = moneyText(amount, currency)
  if (!action)
    return (
      <div className={styles.buttons}>
        {actions.map((each) => (
          // Several are on the page: a screen reader says which one a button is for.
          <Button key={each} onClick={() => setAction(each)} aria-description={said.oneOf[kind](shown)}>
            {said.actions[each]}
          </Button>
        ))}
      </div>
    )
  const isUnbooked = status === 'crediting' || status === 'capturing'
  const dismissEffect = isUnbooked ? said.failEffect[kind] : said.dismissEffect
  return (
    <Ask
      name={`resolve ${id}`}
      effects={[
        action === 'dismiss' ? dismissEffect : said.effects[action],
        ...(action === 'book' && one.dispute === 'outcome-unknown' ? [said.lookFirst] : []),
      ]}
      word={said.now[action](shown)}
      act={resolve}
      needsReason
      reasonHint={said.reasonHint}
      close={() => setAction(undefined)}
      onDo={({ reason = '', transaction = '' }) =>
        resolve.mutate(
          {
            ...{ id, action, reason: reason.trim() },
            ...(action === 'booked' && { transaction_id: transaction.trim() }),
          },
          { onSuccess: () => setAction(undefined) },
        )
      }
    >
      {action === 'booked' && (
        <Field
          name="transaction"
          label={said.transaction}
          hint={said.transactionHint}
          required
          autoComplete="off"
          autoFocus
        />
      )}
    </Ask>
  )
}
