import { useTexts } from '../../texts/define-texts.ts'
import styles from './office.module.css'
import { texts } from './office.texts.ts'

/** Says that what is read here is in the audit. */
export function AuditedNote() {
  const said = useTexts(texts)
  return <p className={styles.note}>{said.audited}</p>
}
