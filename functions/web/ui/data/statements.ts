import { queryOptions, useMutation } from '@tanstack/react-query'
import type { Statement } from '../../client/index.ts'
import { api } from './api.ts'
import { useSentBy } from './session.ts'

/** What a statement is about. Days are 'YYYY-MM-DD' in UTC; `to` is the day after the last, and left out if
 * that is to come: nothing is booked ahead. */
export interface StatementAsked {
  from: string
  to?: string
  basis: 'booking' | 'value'
}

export const statementFormats = ['pdf', 'csv', 'camt.053', 'json'] as const
export type StatementFormatName = (typeof statementFormats)[number]

/** The sums of a statement: what was there, what came and went, and what is left. */
export const statementQuery = (accountId: string, asked: StatementAsked) =>
  queryOptions({
    queryKey: ['accounts', accountId, 'statement', asked],
    queryFn: async ({ signal }) => {
      const query = { ...asked, format: 'json' } as const
      const statement = await api.get('/api/accounts/{id}/statement', {
        params: { id: accountId },
        query,
        signal,
      })
      return statement as Statement
    },
  })

/** Returns the address of a statement, for a link. */
export const statementAddress = (
  accountId: string,
  asked: StatementAsked,
  format: StatementFormatName,
): string => `/api/accounts/${accountId}/statement?${new URLSearchParams({ format, ...asked })}`

/** Files a statement among the customer's documents. One that is there already is not filed again. */
export function useFileStatement(accountId: string) {
  const headers = useSentBy()
  return useMutation({
    mutationFn: ({ from, to, format }: { from: string; to: string; format: 'pdf' | 'csv' | 'camt.053' }) =>
      api.post('/api/documents/statements', { body: { account_id: accountId, from, to, format }, headers }),
  })
}
