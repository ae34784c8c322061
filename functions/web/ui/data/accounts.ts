import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import type { Account } from '../../client/index.ts'
import { api } from './api.ts'
import { keptActs, type KeptAct } from './kept-act.ts'
import { ownOnly, useSentBy, useSession } from './session.ts'

export type { Account }

/** The accounts of whoever is signed in: the oldest first, because that is the one that most people use, and
 * closed ones last. A person has few: one page holds them. */
export const accountsQuery = () =>
  queryOptions({
    queryKey: ['accounts'],
    queryFn: async ({ client, signal }) => {
      const query = { limit: 200, ...(await ownOnly(client)) }
      const { items } = await api.get('/api/accounts', { query, signal })
      const isClosed = ({ status }: Account): number => (status === 'closed' ? 1 : 0)
      return items.toReversed().sort((one, other) => isClosed(one) - isClosed(other))
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

/** An account that somebody wants for themselves. */
export interface AccountOpening extends KeptAct {
  body: { account_type: Account['account_type']; currency: string }
}

const kept = keptActs<AccountOpening>('opening')

/** Returns the opening that a user sent from this tab and that has no answer, also after a reload. */
export const unansweredOpening = kept.unanswered

/** Opens an account for whoever is signed in. However often an opening is sent, there is one account. */
export function useOpenAccount() {
  const queries = useQueryClient()
  const { user_id: owner } = useSession()
  const headers = useSentBy()
  return useMutation({
    mutationFn: (opening: AccountOpening) =>
      kept.send(owner, opening, () =>
        api.post('/api/accounts', { body: opening.body, idempotencyKey: opening.key, headers }),
      ),
    onSuccess: (account) => {
      queries.setQueryData(accountsQuery().queryKey, (accounts) => accounts && [...accounts, account])
      return queries.invalidateQueries(accountsQuery())
    },
  })
}
