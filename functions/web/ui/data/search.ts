import { queryOptions } from '@tanstack/react-query'
import { BankProblem, type Account, type Transaction } from '../../client/index.ts'
import { api } from './api.ts'
import { questionOf, transactionWords } from './question.ts'

/** How many letters and digits a text has before the bank is asked for it. */
const LETTERS_MIN = 2
/** How many of a kind are shown. The page of that kind has more. */
const SHOWN = 5

/** Whether the bank is asked for a text. */
export const isAsked = (text: string): boolean => (text.match(/[\p{L}\p{N}]/gu)?.length ?? 0) >= LETTERS_MIN

/** An answer serves for a while, because each reading by an operator is in the audit. */
const ASKED_ONCE = { staleTime: 30_000, gcTime: 60_000, refetchOnWindowFocus: false } as const

/** The users whom a text finds. Only operators may ask. */
export const usersFoundQuery = (text: string) =>
  queryOptions({
    queryKey: ['search', 'users', text],
    queryFn: async ({ signal }) =>
      (await api.get('/api/users', { query: { ...questionOf(text), limit: SHOWN }, signal })).items,
    ...ASKED_ONCE,
  })

/** The account with an id or a number, whoever owns it. Only operators may ask. */
export const accountsFoundQuery = (text: string) =>
  queryOptions({
    queryKey: ['search', 'accounts', text],
    queryFn: async ({ signal }): Promise<Account[]> => {
      const question = questionOf(text)
      if (!question || 'query' in question) return []
      if ('id' in question)
        return oneOrNone(api.get('/api/accounts/{id}', { params: { id: question.id }, signal }))
      const query = { number: question.account_number, limit: SHOWN }
      return (await api.get('/api/accounts', { query, signal })).items
    },
    ...ASKED_ONCE,
  })

/** The transaction with an id, or those with the words of a text. Customers find only those of their
 * accounts. */
export const transactionsFoundQuery = (text: string) =>
  queryOptions({
    queryKey: ['search', 'transactions', text],
    queryFn: async ({ signal }): Promise<Transaction[]> => {
      const question = questionOf(text)
      if (question && 'id' in question)
        return oneOrNone(api.get('/api/transactions/{id}', { params: { id: question.id }, signal }))
      const query = { query: transactionWords(text), limit: SHOWN }
      return (await api.get('/api/transactions', { query, signal })).items
    },
    ...ASKED_ONCE,
  })

/** The event with an id. Only operators may ask. */
export const eventsFoundQuery = (text: string) =>
  queryOptions({
    queryKey: ['search', 'events', text],
    queryFn: async ({ signal }) => {
      const question = questionOf(text)
      if (!question || !('id' in question)) return []
      return oneOrNone(api.get('/api/events/{event_id}', { params: { event_id: question.id }, signal }))
    },
    ...ASKED_ONCE,
  })

/** Resolves with none if the id belongs to something else: most do, so that is no failure. */
async function oneOrNone<One>(asked: Promise<One>): Promise<One[]> {
  try {
    return [await asked]
  } catch (error) {
    if (error instanceof BankProblem && error.status === 404) return []
    throw error
  }
}
