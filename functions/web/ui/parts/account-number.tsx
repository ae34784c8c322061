import styles from './account-number.module.css'

/** Returns an account number in groups of four, as people read it. */
export const groupsOf = (number: string): string => number.replace(/(?<=^(?:.{4})+)(?!$)/g, '\u00a0')

/** An account number. */
export function AccountNumber({ value }: { value: string }) {
  return <span className={styles.number}>{groupsOf(value)}</span>
}
