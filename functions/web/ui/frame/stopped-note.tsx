import { useQuery } from '@tanstack/react-query'
import { Link } from 'wouter'
import { ledgerStatusQuery } from '../data/ledger.ts'
import { useTexts } from '../texts/define-texts.ts'
import styles from './frame.module.css'
import { texts } from './frame.texts.ts'

/** Tells operators in every area that postings are stopped, and leads to the evidence. */
export function StoppedNote() {
  const said = useTexts(texts)
  const { data = [] } = useQuery(ledgerStatusQuery())
  const stopped = data.filter(({ status }) => status === 'stopped')
  const isByGuard = stopped.some(({ reason }) => reason === 'being-checked')
  const currencies = stopped.map(({ currency }) => currency).join(', ')
  return (
    <div role="status">
      {stopped.length > 0 && (
        <p className={styles.stopped}>
          <span aria-hidden="true">■</span>{' '}
          {isByGuard ? said.stoppedByGuard(currencies) : said.stopped(currencies)}{' '}
          <Link href="/office/ledger">{said.evidence}</Link>
        </p>
      )}
    </div>
  )
}
