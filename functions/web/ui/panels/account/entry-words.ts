import type { Entry } from '../../data/entries.ts'

/** What an entry is, as far as words depend on it. A fee is the second entry of its transaction. */
export type EntryKind = Entry['transaction_type'] | 'fee' | 'feeBack'

/** Returns what an entry is. `before` is the account's entry before it, if that is known. */
export function kindOf(entry: Entry, before: Entry | undefined): EntryKind {
  const isSecond = before?.transaction_id === entry.transaction_id
  const isOut = entry.amount.startsWith('-')
  // The page may end between the two. A deposit takes nothing away, and a transfer has another side.
  const isFee = isSecond || (entry.transaction_type === 'deposit' && isOut)
  if (!isFee) return entry.transaction_type
  return isOut ? 'fee' : 'feeBack'
}
