import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { Hold } from '../../client/index.ts'
import { ActKeys } from './act-keys.ts'
import { api } from './api.ts'
import { accountsQuery } from './accounts.ts'
import { useSentBy } from './session.ts'

export type { Hold }

/** One account. What is asked about it has keys that begin with this one. */
export const accountQuery = (id: string) =>
  queryOptions({
    queryKey: ['accounts', id],
    queryFn: ({ signal }) => api.get('/api/accounts/{id}', { params: { id }, signal }),
  })

/** The balance at a moment of the past, or now. */
export const balanceQuery = (id: string, asOf: string | undefined) =>
  queryOptions({
    queryKey: ['accounts', id, 'balance', asOf],
    queryFn: ({ signal }) =>
      api.get('/api/accounts/{id}/balance', { params: { id }, query: asOf ? { as_of: asOf } : {}, signal }),
  })

/** The open holds of an account, the newest first. An account has a thousand at most; this shows two
 * hundred. */
export const openHoldsQuery = (id: string) =>
  queryOptions({
    queryKey: ['accounts', id, 'holds'],
    queryFn: async ({ signal }) =>
      (await api.get('/api/holds', { query: { account_id: id, status: 'open', limit: 200 }, signal })).items,
  })

/** Gives an account another name; null takes it away. The same name again keeps its key until there is an
 * answer. */
export function useRenameAccount(id: string) {
  const [queries, headers] = [useQueryClient(), useSentBy()]
  const [keys] = useState(() => new ActKeys())
  return useMutation({
    mutationFn: (name: string | null) =>
      api.patch('/api/accounts/{id}', {
        params: { id },
        body: { name },
        headers,
        idempotencyKey: keys.keyOf(name),
      }),
    onSettled: (_account, error) => keys.hear(error),
    onSuccess: (account) => {
      queries.setQueryData(accountQuery(id).queryKey, account)
      return queries.invalidateQueries({ ...accountsQuery(), exact: true })
    },
  })
}
