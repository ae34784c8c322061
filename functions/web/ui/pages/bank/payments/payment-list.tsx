import { useEndPayment, type Payment, type PaymentAct } from '../../../data/payments.ts'
import { Button, ButtonLink } from '../../../parts/button.tsx'
import { DataList } from '../../../parts/data-list.tsx'
import { Moment } from '../../../parts/moment.tsx'
import { Money } from '../../../parts/money.tsx'
import { ProblemNote } from '../../../parts/problem-note.tsx'
import { Status, type StatusKind } from '../../../parts/status.tsx'
import { useIsOnline } from '../../../parts/use-is-online.ts'
import { useMoneyText } from '../../../parts/use-money-text.ts'
import { useTexts } from '../../../texts/define-texts.ts'
import { formatMoment } from '../../../texts/formats.ts'
import { useLanguage } from '../../../texts/language.ts'
import styles from './payments.module.css'
import { texts } from './payments.texts.ts'

const kindOf = (status: Payment['status']): StatusKind => {
  if (status.endsWith('ing')) return 'cold'
  if (status === 'executed') return 'good'
  if (status === 'created') return 'warn'
  return status === 'failed' ? 'bad' : 'neutral'
}

/** The payments, each with what can be done about it. */
export function PaymentList({ payments }: { payments: readonly Payment[] }) {
  const said = useTexts(texts)
  const end = useEndPayment()
  const act = (what: PaymentAct, id: string): void => end.mutate({ act: what, id })
  return (
    <>
      <ProblemNote problem={end.error} />
      <DataList
        label={said.list}
        rows={payments}
        keyOf={({ id }) => id}
        columns={[
          { title: said.created, cell: ({ created_at }) => <Moment at={created_at} /> },
          { title: said.what, cell: ({ description }) => <bdi>{description ?? '–'}</bdi> },
          {
            title: said.amount,
            align: 'end',
            cell: ({ amount, currency }) => <Money amount={amount} currency={currency} as="code" />,
          },
          { title: said.status, cell: (payment) => <State payment={payment} /> },
          {
            title: said.act,
            cell: (payment) => <Acts payment={payment} isBusy={end.isPending} onAct={act} />,
          },
        ]}
      />
    </>
  )
}

function State({ payment: { status, expires_at: expiresAt } }: { payment: Payment }) {
  const said = useTexts(texts)
  const language = useLanguage()
  return (
    <span className={styles.state}>
      <Status kind={kindOf(status)} word={said.states[status]} />
      {status === 'created' && <span>{said.until(formatMoment(language, new Date(expiresAt)))}</span>}
    </span>
  )
}

function Acts({
  payment: { id, status, amount, currency, transaction_id: transactionId },
  isBusy,
  onAct,
}: {
  payment: Payment
  isBusy: boolean
  onAct: (act: PaymentAct, id: string) => void
}) {
  const said = useTexts(texts)
  const moneyText = useMoneyText()
  const isOff = !useIsOnline() || isBusy
  if (status === 'created')
    return (
      <div className={styles.buttons}>
        <Button disabled={isOff} onClick={() => onAct('execute', id)}>
          {said.execute(moneyText(amount, currency))}
        </Button>
        <Button look="danger" disabled={isOff} onClick={() => onAct('cancel', id)}>
          {said.cancel}
        </Button>
      </div>
    )
  return transactionId ? <ButtonLink href={`/transactions/${transactionId}`}>{said.receipt}</ButtonLink> : '–'
}
