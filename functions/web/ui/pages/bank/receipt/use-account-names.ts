import { useQueries, useQuery } from '@tanstack/react-query'
import { accountQuery } from '../../../data/account.ts'
import { accountsQuery, type Account } from '../../../data/accounts.ts'
import { sessionQuery } from '../../../data/session.ts'
import type { TransactionDetail } from '../../../data/transactions.ts'
import { groupsOf, useAccountLabel } from '../../../texts/account-names.ts'

/** Returns those accounts of a transaction that the reader may see, their own, and to an operator all; and
 * the queries that find them. */
export function useSeenAccounts(transaction: TransactionDetail | undefined) {
  const { data: session } = useQuery(sessionQuery())
  const owned = useQuery(accountsQuery())
  const own = owned.data ?? []
  const touched = [transaction?.account_id, transaction?.to_account_id].filter((id) => typeof id === 'string')
  const others = useQueries({ queries: session?.role === 'operator' ? touched.map(accountQuery) : [] })
  const seen: Account[] = [
    ...own.filter(({ id }) => touched.includes(id)),
    ...others.flatMap(({ data }) => data ?? []),
  ]
  const accounts = seen.filter(({ id }, n) => seen.findIndex((account) => account.id === id) === n)
  return { accounts, queries: [owned, ...others] }
}

/** Returns what names an account of a transaction: what its owner calls it, or the other side as the bank
 * names it. */
export function useAccountNames(transaction: TransactionDetail): (id: string) => string {
  const { accounts } = useSeenAccounts(transaction)
  const labelOf = useAccountLabel()
  const { counterparty } = transaction
  return (id) => {
    const account = accounts.find((each) => each.id === id)
    if (account) return labelOf(account)
    return counterparty ? [counterparty.name, groupsOf(counterparty.number)].filter(Boolean).join(' · ') : id
  }
}
