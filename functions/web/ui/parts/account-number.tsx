import { groupsOf } from '../texts/account-names.ts'
import styles from './account-number.module.css'

/** An account number. */
export function AccountNumber({ value }: { value: string }) {
  return <span className={styles.number}>{groupsOf(value)}</span>
}
