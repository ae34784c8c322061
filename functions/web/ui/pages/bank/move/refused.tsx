import { useEffect, useRef } from 'react'
import type { Account } from '../../../data/accounts.ts'
import type { OrderRefusal } from '../../../data/money-order.ts'
import { useTexts } from '../../../texts/define-texts.ts'
import styles from './move.module.css'
import { texts } from './move.texts.ts'
import { useLabels } from './use-labels.ts'

/** Says that nothing was sent, and why. Takes the focus. */
export function Refused({
  refusal,
  account,
}: {
  refusal: Pick<OrderRefusal, 'code' | 'detail'>
  account: Account | undefined
}) {
  const said = useTexts(texts)
  const labels = useLabels()
  const note = useRef<HTMLParagraphElement>(null)
  useEffect(() => note.current?.focus(), [refusal.code])
  const sentence =
    refusal.code === 'insufficient-funds' && account
      ? said.refusedFunds(labels.money(account.available, account.currency))
      : (said.refusedOf[refusal.code] ?? [said.refusedOtherwise, refusal.detail].join(' '))
  return (
    <p ref={note} className={styles.refused} role="alert" tabIndex={-1}>
      {sentence}
    </p>
  )
}
