import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import type { Account } from '../../client/index.ts'
import { api } from './api.ts'
import { ownOnly } from './session.ts'

export type { Account }

/** The accounts of whoever is signed in, the newest first. A person has few: one page holds them. */
export const accountsQuery = () =>
  queryOptions({
    queryKey: ['accounts'],
    queryFn: async ({ client, signal }) => {
      const query = { limit: 200, ...(await ownOnly(client)) }
      return (await api.get('/api/accounts', { query, signal })).items
    },
  })

/** The accounts that money can move from or to. */
export const openAccounts = (accounts: readonly Account[]): Account[] =>
  accounts.filter(({ status }) => status === 'open')

/** The account that somebody most likely means to move money from: the first that has some. */
export function likelyAccount(accounts: readonly Account[]): Account | undefined {
  const open = openAccounts(accounts)
  return open.find(({ available }) => !/^-|^[0.]+$/.test(available)) ?? open[0]
}

/** Opens an account for whoever is signed in. */
export function useOpenAccount() {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (body: { account_type: 'checking' | 'savings'; currency: string }) =>
      api.post('/api/accounts', { body }),
    onSuccess: (account) => {
      queries.setQueryData(accountsQuery().queryKey, (accounts) => accounts && [account, ...accounts])
      return queries.invalidateQueries(accountsQuery())
    },
  })
}
