import { useQuery } from '@tanstack/react-query'
import { accountsQuery } from '../../../data/accounts.ts'
import type { TransactionDetail } from '../../../data/transactions.ts'
import { useAccountLabel } from '../../../texts/account-names.ts'

/** Returns what names an account of a transaction: what the reader calls it, or the other side as the bank
 * names it. */
export function useAccountNames({ counterparty }: TransactionDetail): (id: string) => string {
  const { data: accounts = [] } = useQuery(accountsQuery())
  const labelOf = useAccountLabel()
  return (id) => {
    const account = accounts.find((each) => each.id === id)
    if (account) return labelOf(account)
    return counterparty ? [counterparty.name, counterparty.number].filter(Boolean).join(' · ') : id
  }
}
